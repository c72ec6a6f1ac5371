import * as fc from 'fast-check'
import t from 'tap'
import { errors } from 'undici'
import { RetryBudget } from '../../lib/calls/retry-budget.ts'
import {
  afterFailure, delayBefore, isFaultOfCaller, isIdempotent, isOfNoInstance, isRefusal
} from '../../lib/calls/retry.ts'
import { AttemptTimeoutError } from '../../lib/errors.ts'
import { seeded } from '../balancing/helpers.ts'
import { ManualClock } from '../support/manual-clock.ts'

// lib/calls/retry.ts

const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
const closed = new errors.SocketError('other side closed')
const late = new AttemptTimeoutError('svc', 'a', 100, 'calls.timeout')

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
    { error: new errors.HeadersTimeoutError(), ...sent, verdict: 'repeat' },
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

t.test('which errors say nothing of an instance', async t => {
  const coded = (code: string) => isFaultOfCaller(Object.assign(new Error(code), { code }))
  const ours = [
    'EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM', 'EAFNOSUPPORT', 'UND_ERR_ABORTED', 'UND_ERR_INVALID_ARG',
    'ERR_INVALID_ARG_TYPE', 'ERR_TLS_CERT_ALTNAME_INVALID'
  ]
  t.same(ours.filter(code => !coded(code)), [])
  t.same(['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EHOSTUNREACH', 'UND_ERR_SOCKET', 'EPROTO'].filter(coded), [])
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

// lib/calls/retry-budget.ts

function start (ratio: number, perSecond: number) {
  const clock = new ManualClock()
  const budget = new RetryBudget({ ratio, perSecond }, clock)
  return {
    clock,
    send: (requests: number) => { for (let sent = 0; sent < requests; sent++) budget.deposit() },
    /** How many it grants out of so many that are wanted. */
    granted: (wanted: number) => Array.from({ length: wanted }, () => budget.withdraw()).filter(Boolean).length
  }
}

t.test('without any request there is what a second has, for the length of the window', async t => {
  const { clock, granted } = start(0.2, 10)
  t.equal(granted(1000), 100)
  clock.advance(9000)
  t.equal(granted(1000), 0)
  clock.advance(1000)
  t.equal(granted(1000), 100)
})

t.test('a share of the requests of the last ten seconds is added', async t => {
  const { clock, send, granted } = start(0.2, 0)
  send(4)
  t.equal(granted(1), 0)
  send(996)
  t.equal(granted(1000), 200)
  t.equal(granted(1), 0)
  clock.advance(9999)
  send(10)
  t.equal(granted(5), 2)
  clock.advance(1)
  t.equal(granted(1), 0, 'the first requests have left the window, and what they gave with them')
})

t.test('a long time without a request leaves nothing behind', async t => {
  const { clock, send, granted } = start(0.5, 1)
  send(100)
  t.equal(granted(20), 20)
  clock.advance(1e9)
  t.equal(granted(100), 10)
})

t.test('with nothing to give it gives nothing', async t => {
  const { send, granted } = start(0, 0)
  send(1000)
  t.equal(granted(1), 0)
})

t.test('a total outage costs a share of the requests, however it goes on', async t => {
  const { clock, send, granted } = start(0.2, 10)
  let repeated = 0
  for (let second = 0; second < 60; second++) {
    for (let part = 0; part < 10; part++) {
      send(100)
      repeated += granted(200)
      clock.advance(100)
    }
  }
  t.equal(repeated / 60_000 <= 0.22, true, `${repeated} of 60,000 requests`)
  t.equal(repeated / 60_000 >= 0.2, true)
})

t.test('whatever comes, no window of ten seconds holds more than its share, and none is kept back', async t => {
  const step = fc.record({ wait: fc.integer({ min: 0, max: 4000 }), requests: fc.nat(50), wanted: fc.nat(50) })
  const property = fc.property(
    fc.array(step, { maxLength: 60 }), fc.constantFrom(0, 0.1, 0.2, 1, 2), fc.constantFrom(0, 0.5, 1, 10),
    (steps, ratio, perSecond) => {
      const { clock, send, granted } = start(ratio, perSecond)
      const sent: number[] = []
      const repeated: number[] = []
      const inWindow = (times: number[]) => {
        const first = Math.floor(clock.now() / 1000) - 9
        return times.filter(time => Math.floor(time / 1000) >= first).length
      }
      for (const { wait, requests, wanted } of steps) {
        clock.advance(wait)
        send(requests)
        sent.push(...new Array(requests).fill(clock.now()))
        const room = Math.floor(ratio * inWindow(sent) + perSecond * 10 - inWindow(repeated))
        const given = granted(wanted)
        repeated.push(...new Array(given).fill(clock.now()))
        if (given !== Math.min(wanted, Math.max(room, 0))) return false
      }
      return true
    })
  t.doesNotThrow(() => fc.assert(property, { seed: 1, numRuns: 500 }))
})
