import fc from 'fast-check'
import t from 'tap'
import { readAnswer, statusError } from '../../lib/consul/answer.ts'
import { Connectivity } from '../../lib/consul/connectivity.ts'
import { isHealthAnswer } from '../../lib/consul/health-entry.ts'
import { watch } from '../../lib/consul/watch.ts'
import type { Answer, WireHealthEntry } from '../../lib/consul/wire.ts'
import { stepIndex } from '../../lib/discovery/index-rule.ts'
import { ApiAnswerError, ApiTimeoutError, ApiUnreachableError, ClosedError, TokenError } from '../../lib/errors.ts'
import { collectingLogger } from '../health/collecting-logger.ts'
import { ManualClock } from '../support/manual-clock.ts'

/** The watch of a service under whatever an agent, or what stands in its place, can answer. Time is virtual. */

type Outcome =
  | { kind: 'answer', index: string | undefined, text: string }
  | { kind: 'status', status: number, text: string }
  | { kind: 'error', error: Error }

/** What a query comes to, and after how many milliseconds. */
interface Reply {
  after: number
  outcome: Outcome
}

const what = 'GET /v1/health/service/web'
const uint = (min: bigint, max: bigint) => fc.bigInt({ min, max }).map(String)
const index = fc.oneof(
  fc.constantFrom(undefined, '', '0', '1', '-1', 'x', '7.5', '1e9'),
  uint(1n, 100n), uint(2n ** 53n - 2n, 2n ** 53n + 2n), uint(2n ** 64n - 3n, 2n ** 64n + 3n),
  uint(10n ** 30n, 10n ** 40n)
)
const body = fc.oneof(
  { weight: 4, arbitrary: fc.constant('[]') },
  { weight: 1, arbitrary: fc.constantFrom('', 'null', '{}', '[{}]', '[', '<html>', '"leader"', '\u0000') },
  { weight: 1, arbitrary: fc.string() }
)
const failure = fc.constantFrom<Error>(
  new ApiUnreachableError(what, 'ECONNREFUSED'), new ApiUnreachableError(what, 'ECONNRESET'),
  new ApiTimeoutError(what, 1), new ApiAnswerError(what, 'more than 64 MB'), new TokenError('a vault', 'it is sealed'),
  new ClosedError('the client'), new TypeError('a bug')
)
const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('answer' as const), index, text: body }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('status' as const),
      status: fc.constantFrom(301, 400, 401, 403, 404, 429, 500, 502, 503),
      text: fc.constantFrom('', 'No cluster leader', 'ACL not found', 'Unknown service ID')
    })
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('error' as const), error: failure }) }
)
const after = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(1, 50, 999, 1000, 65_000) })
const replies = fc.array(fc.record({ after, outcome }), { maxLength: 40 })
const probes = fc.array(fc.boolean(), { maxLength: 5 })

function settle ({ outcome }: Reply): Answer<WireHealthEntry[]> {
  if (outcome.kind === 'error') throw outcome.error
  if (outcome.kind === 'status') throw statusError(what, { status: outcome.status, text: outcome.text, headers: {} })
  const { text, index } = outcome
  const headers = index === undefined ? {} : { 'x-consul-index': index }
  return readAnswer(what, { status: 200, text, headers }, isHealthAnswer)
}

/** Answers with the replies, and then as a healthy agent does whose index does not move. */
function startWatch (replies: readonly Reply[], probes: readonly boolean[]) {
  const clock = new ManualClock()
  const ended = new AbortController()
  const left = [...replies]
  const probesLeft = [...probes]
  const queriedAt: number[] = []
  const cursors: (string | undefined)[] = []
  let isHealthy = false
  let answers = 0
  let isOver = false
  const connectivity = new Connectivity({
    clock,
    logger: collectingLogger().logger,
    random: () => 0.5,
    probe: async () => { if (probesLeft.shift() === false) throw new ApiUnreachableError('GET /', 'ECONNREFUSED') }
  })
  const over = watch<WireHealthEntry[]>({
    async query (cursor, signal) {
      queriedAt.push(clock.now())
      cursors.push(cursor)
      const reply = left.shift()
      isHealthy = reply === undefined
      const healthy: Reply = {
        after: cursor === undefined ? 1 : 60_000, outcome: { kind: 'answer', index: '500', text: '[]' }
      }
      const { after } = reply ?? healthy
      if (after > 0) await clock.sleep(after, signal)
      return settle(reply ?? healthy)
    },
    advance: (cursor, answer) => stepIndex(cursor, answer.index),
    onAnswer: () => { if (isHealthy) answers++ },
    onError: () => {},
    connectivity,
    clock,
    random: () => 0.5
  }, ended.signal).finally(() => { isOver = true })
  const pause = () => new Promise(setImmediate)
  return {
    queriedAt,
    cursors,
    get isOver () { return isOver },
    get answers () { return answers },
    get repliesLeft () { return left.length },
    now: () => clock.now(),
    pending: () => clock.pending,
    /** Goes on to the next thing that happens. */
    async next () {
      await pause()
      clock.advance(clock.pending[0] ?? 1000)
      await pause()
    },
    async end () {
      ended.abort()
      connectivity.close()
      await over
      await pause()
    }
  }
}

/** More than any pause that there is, with the longest wait. Milliseconds. */
const minutes = 15 * 60_000

t.test('whatever comes, the loop goes on, at no more than five queries a second, and is well in the end', async t => {
  let queries = 0
  await fc.assert(fc.asyncProperty(replies, probes, async (replies, probes) => {
    const running = startWatch(replies, probes)
    try {
      while (running.repliesLeft > 0 && !running.isOver) {
        const before = running.queriedAt.length
        const from = running.now()
        while (running.queriedAt.length === before && running.now() - from < minutes) await running.next()
        if (running.queriedAt.length === before) throw new Error(`no query for ${minutes} ms`)
      }
      const from = running.now()
      while (running.answers < 2 && running.now() - from < minutes) await running.next()
      if (running.isOver) throw new Error('the loop has ended')
      if (running.answers < 2) throw new Error('it has not recovered')
      tooMany(running.queriedAt)
      const senseless = running.cursors.find(cursor => cursor !== undefined && !isUint64(cursor))
      if (senseless !== undefined) throw new Error(`asked with the index ${senseless}`)
      queries += running.queriedAt.length
    } finally {
      await running.end()
    }
    if (running.pending().length > 0) throw new Error('a timer is left')
  }), { seed: 1, numRuns: 300 })
  t.comment(`${queries} queries`)
})

t.test('an agent that answers at once, for ever, whatever it says, costs five queries a second', async () => {
  await fc.assert(fc.asyncProperty(outcome, async outcome => {
    const running = startWatch(Array.from({ length: 200 }, () => ({ after: 0, outcome })), [])
    try {
      while (running.now() < 20_000) await running.next()
      tooMany(running.queriedAt)
    } finally {
      await running.end()
    }
  }), { seed: 1, numRuns: 50 })
})

/** A burst of five, and one more every 200 ms. */
function tooMany (queriedAt: readonly number[]): void {
  for (let first = 0; first < queriedAt.length; first++) {
    for (let last = first; last < queriedAt.length; last++) {
      const allowed = 5 + Math.floor((queriedAt[last]! - queriedAt[first]! + 0.001) / 200) + 1
      if (last - first + 1 > allowed) {
        throw new Error(`${last - first + 1} queries within ${queriedAt[last]! - queriedAt[first]!} ms`)
      }
    }
  }
}

function isUint64 (text: string): boolean {
  return /^[1-9]\d{0,19}$/.test(text) && BigInt(text) < 2n ** 64n
}
