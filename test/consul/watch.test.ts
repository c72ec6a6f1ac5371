import t, { type Test } from 'tap'
import { Connectivity } from '../../lib/consul/connectivity.ts'
import { watch, type CursorStep } from '../../lib/consul/watch.ts'
import type { Answer } from '../../lib/consul/wire.ts'
import { ApiForbiddenError, ApiRateLimitedError, ApiStatusError, ApiUnreachableError } from '../../lib/errors.ts'
import { collectingLogger } from '../health/collecting-logger.ts'
import { ManualClock } from '../support/manual-clock.ts'

type Outcome = { index: string } | Error

/** A watch whose every query waits until the test answers it. */
function startWatch (t: Test, overrides: { advance?: () => CursorStep, onAnswer?: () => void } = {}) {
  const clock = new ManualClock()
  const controller = new AbortController()
  const cursors: (string | undefined)[] = []
  const answers: (string | undefined)[] = []
  const errors: unknown[] = []
  const failures: number[] = []
  let settleQuery: ((outcome: Outcome) => void) | undefined
  const connectivity = new Connectivity({
    clock, logger: collectingLogger().logger, random: () => 0.5, probe: async () => {}
  })
  const ended = watch<null>({
    query: (cursor, signal) => new Promise((resolve, reject) => {
      cursors.push(cursor)
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      settleQuery = outcome => outcome instanceof Error
        ? reject(outcome)
        : resolve({ value: null, hash: undefined, filteredByAcls: false, ...outcome })
    }),
    advance: overrides.advance ?? ((_, { index }) => ({ next: index, valid: true })),
    onAnswer: overrides.onAnswer ?? (({ index }: Answer<null>) => { answers.push(index) }),
    onError: (error, inARow) => {
      errors.push(error)
      failures.push(inARow)
    },
    connectivity,
    clock,
    random: () => 0.5
  }, controller.signal)
  const settle = () => new Promise(setImmediate)
  const isAsking = () => settleQuery !== undefined
  t.teardown(() => {
    controller.abort()
    connectivity.close()
    return ended
  })
  return {
    clock,
    controller,
    cursors,
    answers,
    errors,
    failures,
    ended,
    isAsking,
    async answer (outcome: Outcome) {
      const settleNow = settleQuery
      if (settleNow === undefined) throw new Error('there is no query')
      settleQuery = undefined
      settleNow(outcome)
      await settle()
    },
    async pass (ms: number) {
      clock.advance(ms)
      await settle()
    },
    /** Milliseconds until the next query. */
    async untilNextQuery () {
      const from = clock.now()
      while (!isAsking()) {
        clock.advance(clock.pending[0] ?? Infinity)
        await settle()
      }
      return clock.now() - from
    },
    settle
  }
}

t.test('each query has the cursor of the answer before', async t => {
  const { answer, cursors, answers, settle } = startWatch(t)
  await settle()
  await answer({ index: '7' })
  await answer({ index: '9' })
  t.same(cursors, [undefined, '7', '9'])
  t.same(answers, ['7', '9'])
})

t.test('what changes without end costs five queries a second after the first five', async t => {
  const { answer, pass, cursors, isAsking, settle } = startWatch(t)
  await settle()
  for (let i = 0; i < 5; i++) await answer({ index: String(i) })
  t.equal(cursors.length, 5)
  t.notOk(isAsking())
  await pass(199)
  t.notOk(isAsking())
  await pass(1)
  t.ok(isAsking())
  for (let second = 0; second < 60; second++) {
    for (let i = 0; i < 10; i++) {
      if (isAsking()) await answer({ index: 'x' })
      await pass(100)
    }
  }
  t.equal(cursors.length, 6 + 300)
})

t.test('an answer that does not count is not told', async t => {
  const { answer, cursors, answers, settle } = startWatch(t, { advance: () => ({ next: undefined, valid: false }) })
  await settle()
  await answer({ index: '3' })
  t.same(answers, [])
  t.same(cursors, [undefined, undefined])
})

t.test('after an error it asks from the beginning, sooner for faults than for refusals', async t => {
  const kinds: [error: Error, delays: number[]][] = [
    [new ApiStatusError('GET /', 500, 'No cluster leader'), [100, 200, 400, 800, 1000, 1000]],
    [new ApiForbiddenError('GET /', 403, 'ACL not found'), [1000, 2000, 4000, 8000, 10_000, 10_000]],
    [new ApiRateLimitedError('GET /', 429, 'slow down'), [1000, 2000, 4000, 8000, 10_000, 10_000]],
    [new Error('anything else'), [100, 200, 400, 800, 1000, 1000]]
  ]
  for (const [error, expected] of kinds) {
    const { answer, untilNextQuery, cursors, errors, settle, pass } = startWatch(t)
    await settle()
    await answer({ index: '7' })
    await pass(10_000)
    const delays: number[] = []
    for (let i = 0; i < expected.length; i++) {
      await answer(error)
      delays.push(await untilNextQuery())
    }
    t.same(delays, expected, error.message)
    t.same(cursors, [undefined, '7', ...expected.map(() => undefined)])
    t.same(errors, expected.map(() => error))
    await answer({ index: '8' })
    await pass(10_000)
    await answer({ index: '9' })
    await answer(error)
    t.equal(await untilNextQuery(), expected[0], 'after one that waited the first delay again')
  }
})

t.test('a lost connection is tried again when the agent answers, soon however often it breaks again', async t => {
  const { answer, untilNextQuery, settle } = startWatch(t)
  await settle()
  const delays: number[] = []
  for (let i = 0; i < 6; i++) {
    await answer(new ApiUnreachableError('GET /', 'ECONNRESET'))
    delays.push(await untilNextQuery())
  }
  const spread = 100
  t.same(delays, [100, 200, 400, 500, 500, 500].map(probe => probe + spread))
})

t.test('what is answered at once and broken off when it waits is tried more and more rarely', async t => {
  const { answer, pass, untilNextQuery, settle } = startWatch(t)
  await settle()
  const delays: number[] = []
  for (let i = 0; i < 4; i++) {
    await answer({ index: '7' })
    await pass(0)
    await answer(new ApiUnreachableError('GET /', 'ECONNRESET'))
    delays.push(await untilNextQuery())
  }
  t.same(delays, [200, 300 + 1000, 200 + 2000, 200 + 4000])
})

t.test('a query that was held before it broke is the first failure each time: recovery stays quick', async t => {
  const { answer, pass, untilNextQuery, failures, settle } = startWatch(t)
  await settle()
  const delays: number[] = []
  for (let i = 0; i < 4; i++) {
    await answer({ index: '7' })
    await pass(0)
    await pass(1000)
    await answer(new ApiUnreachableError('GET /', 'ECONNRESET'))
    delays.push(await untilNextQuery())
  }
  t.same(delays, [200, 200, 200, 200])
  t.same(failures, [1, 1, 1, 1])
})

t.test('not even a listener that throws ends it', async t => {
  const { answer, untilNextQuery, settle, errors } = startWatch(t, { onAnswer: () => { throw new Error('mine') } })
  await settle()
  await answer({ index: '7' })
  t.ok(await untilNextQuery() > 0)
  t.match(errors, [{ message: 'mine' }])
})

t.test('an abort ends it, in a query and in a pause, and is no error', async t => {
  const asking = startWatch(t)
  await asking.settle()
  asking.controller.abort()
  await asking.ended
  t.same(asking.errors, [])
  const pausing = startWatch(t)
  await pausing.settle()
  await pausing.answer(new ApiForbiddenError('GET /', 403, ''))
  pausing.controller.abort()
  await pausing.ended
  t.same(pausing.clock.pending, [])
})
