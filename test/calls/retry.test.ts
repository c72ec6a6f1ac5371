import t from 'tap'
import { errors } from 'undici'
import { afterFailure, delayBefore, isIdempotent, isOfNoInstance, isRefusal } from '../../lib/calls/retry.ts'
import { AttemptTimeoutError } from '../../lib/errors.ts'
import { seeded } from '../balancing/helpers.ts'

const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
const closed = new errors.SocketError('other side closed')
const late = new AttemptTimeoutError('svc', 'a', 100)

t.test('what happens after an attempt failed', async t => {
  const sent = { sent: true, answered: false, unsent: 0 }
  const unsent = { sent: false, answered: false, unsent: 1 }
  const cases = [
    { error: refused, ...unsent, verdict: 'elsewhere' },
    { error: refused, ...unsent, unsent: 4, verdict: 'elsewhere' },
    { error: refused, ...unsent, unsent: 5, verdict: 'unreachable' },
    { error: late, ...unsent, verdict: 'elsewhere' },
    { error: new Error('no code'), ...unsent, verdict: 'elsewhere' },
    { error: new errors.ClientClosedError(), ...unsent, verdict: 'elsewhere' },
    { error: closed, ...sent, verdict: 'repeat' },
    { error: closed, ...sent, unsent: 5, verdict: 'repeat' },
    { error: reset, ...sent, verdict: 'repeat' },
    { error: late, ...sent, verdict: 'repeat' },
    { error: closed, ...sent, answered: true, verdict: 'final' },
    { error: reset, ...sent, answered: true, verdict: 'final' },
    { error: new Error('of the body, or of the handler'), ...sent, verdict: 'final' },
    { error: new errors.RequestAbortedError(), ...sent, verdict: 'final' },
    { error: Object.assign(new Error('nonsense'), { code: 'HPE_INVALID_CONSTANT' }), ...sent, verdict: 'final' },
    { error: new errors.RequestContentLengthMismatchError(), ...sent, verdict: 'final' },
    { error: new errors.InvalidArgumentError('invalid path'), ...unsent, verdict: 'final' },
    { error: new errors.NotSupportedError('expect'), ...unsent, verdict: 'final' },
    { error: new errors.RequestContentLengthMismatchError(), ...unsent, verdict: 'final' }
  ]
  for (const { verdict, ...failure } of cases) {
    const { error, sent, answered, unsent } = failure
    t.equal(afterFailure(failure), verdict,
      `${error.message}, ${sent ? '' : 'not '}sent, ${answered ? '' : 'not '}answered, ${unsent} unsent`)
  }
})

t.test('which requests may be carried out twice', async t => {
  const repeated = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE', 'POST', 'PATCH', 'CONNECT']
    .filter(method => isIdempotent({ method, path: '/' }))
  t.same(repeated, ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE'])
  t.equal(isIdempotent({ method: 'POST', path: '/', idempotent: true }), true, 'the caller knows')
  t.equal(isIdempotent({ method: 'GET', path: '/', idempotent: false }), false)
})

t.test('which responses refuse a request', async t => {
  t.same([200, 304, 408, 429, 500, 501, 502, 503, 504, 505].filter(isRefusal), [502, 503, 504])
})

t.test('a header says that no instance could be called, in any case, and only as a name', async t => {
  const raw = (...headers: string[]) => headers.map(text => Buffer.from(text))
  t.equal(isOfNoInstance(raw('date', 'today', 'X-Consul-No-Instance', '1')), true)
  t.equal(isOfNoInstance(raw('x-says', 'x-consul-no-instance')), false)
  t.equal(isOfNoInstance([]), false)
})

t.test('a delay is anywhere between 0 and a growing limit', async t => {
  const random = seeded(3)
  for (const [repeat, limit] of [[1, 25], [2, 75], [3, 175], [4, 250], [50, 250]] as const) {
    t.equal(delayBefore(repeat, () => 0), 0)
    t.equal(delayBefore(repeat, () => 0.5), limit / 2, `the ${repeat}. time`)
    const delays = Array.from({ length: 1000 }, () => delayBefore(repeat, random))
    t.equal(delays.every(delay => delay >= 0 && delay < limit), true)
  }
})
