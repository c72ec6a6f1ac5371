import t from 'tap'
import { errors } from 'undici'
import { mayRetry } from '../../lib/calls/retry.ts'

const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })

t.test('what happens after an attempt failed', async t => {
  const cases = [
    { error: refused, sent: false, tried: 1, again: true },
    { error: refused, sent: false, tried: 4, again: true },
    { error: refused, sent: false, tried: 5, again: false },
    { error: new Error('no code'), sent: false, tried: 1, again: true },
    { error: new errors.ClientClosedError(), sent: false, tried: 1, again: true },
    { error: new errors.SocketError('other side closed'), sent: true, tried: 1, again: false },
    { error: new errors.InvalidArgumentError('invalid path'), sent: false, tried: 1, again: false },
    { error: new errors.NotSupportedError('expect'), sent: false, tried: 1, again: false },
    { error: new errors.RequestContentLengthMismatchError(), sent: false, tried: 1, again: false }
  ]
  for (const { again, ...failure } of cases) {
    const { error, sent, tried } = failure
    t.equal(mayRetry(failure), again, `${error.message}, ${sent ? '' : 'not '}sent, ${tried} tried`)
  }
})
