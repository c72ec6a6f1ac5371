import t from 'tap'
import { errors } from 'undici'
import { afterFailure } from '../../lib/calls/retry.ts'

const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })

t.test('what happens after an attempt failed', async t => {
  const cases = [
    { error: refused, sent: false, tried: 1, verdict: 'retry' },
    { error: refused, sent: false, tried: 4, verdict: 'retry' },
    { error: refused, sent: false, tried: 5, verdict: 'unreachable' },
    { error: new Error('no code'), sent: false, tried: 1, verdict: 'retry' },
    { error: new errors.ClientClosedError(), sent: false, tried: 1, verdict: 'retry' },
    { error: new errors.SocketError('other side closed'), sent: true, tried: 1, verdict: 'final' },
    { error: new errors.InvalidArgumentError('invalid path'), sent: false, tried: 1, verdict: 'final' },
    { error: new errors.NotSupportedError('expect'), sent: false, tried: 1, verdict: 'final' },
    { error: new errors.RequestContentLengthMismatchError(), sent: false, tried: 1, verdict: 'final' }
  ]
  for (const { verdict, ...failure } of cases) {
    const { error, sent, tried } = failure
    t.equal(afterFailure(failure), verdict, `${error.message}, ${sent ? '' : 'not '}sent, ${tried} tried`)
  }
})
