import t from 'tap'
import { Connectivity, isConnectionError, isRefusal } from '../../lib/consul/connectivity.ts'
import {
  ApiForbiddenError, ApiRateLimitedError, ApiStatusError, ApiTimeoutError, ApiUnreachableError, TokenError
} from '../../lib/errors.ts'
import { collectingLogger } from '../health/collecting-logger.ts'
import { ManualClock } from '../support/manual-clock.ts'

const unreachable = new ApiUnreachableError('GET /v1/a', 'connect ECONNREFUSED')
const settle = () => new Promise(setImmediate)
const never = new AbortController().signal

function parts () {
  const clock = new ManualClock()
  const { logger, lines } = collectingLogger()
  let answer: () => unknown = () => 'leader'
  let probes = 0
  const connectivity = new Connectivity({
    clock,
    logger,
    random: () => 0.5,
    probe: async () => {
      probes++
      return answer()
    }
  })
  return {
    clock,
    lines,
    connectivity,
    probes: () => probes,
    answerWith (next: () => unknown) { answer = next },
    async pass (ms: number) {
      clock.advance(ms)
      await settle()
    }
  }
}

const down = () => { throw unreachable }

t.test('only a lost connection counts as one', async t => {
  t.ok(isConnectionError(unreachable))
  t.ok(isConnectionError(new ApiTimeoutError('GET /v1/a', 5)))
  const answers = [ApiForbiddenError, ApiRateLimitedError, ApiStatusError].map(Kind => new Kind('GET /v1/a', 403, ''))
  for (const error of [...answers, new Error('other'), undefined]) {
    t.notOk(isConnectionError(error))
  }
  t.same(answers.map(isRefusal), [true, true, false])
})

t.test('while Consul answers nobody waits and nobody asks', async t => {
  const { connectivity, clock, probes } = parts()
  t.ok(connectivity.up)
  await connectivity.restored(never)
  connectivity.report(new ApiForbiddenError('GET /v1/a', 403, ''))
  t.ok(connectivity.up)
  t.same(clock.pending, [])
  t.equal(probes(), 0)
})

t.test('an outage is told once, probed at growing distances, and its end is told once', async t => {
  const { connectivity, answerWith, pass, probes, lines, clock } = parts()
  answerWith(down)
  connectivity.report(unreachable)
  connectivity.report(unreachable)
  const distances: number[] = []
  for (let i = 0; i < 7; i++) {
    distances.push(clock.pending[0]!)
    await pass(clock.pending[0]!)
    connectivity.report(unreachable)
    t.notOk(connectivity.up)
  }
  t.same(distances, [100, 200, 400, 500, 500, 500, 500])
  t.equal(probes(), 7, 'one probe at a time')
  answerWith(() => '')
  await pass(500)
  t.ok(connectivity.up, 'an agent without a leader answers too')
  t.match(lines, [
    { level: 'warn', details: { err: unreachable }, message: 'Consul cannot be reached; what is known of it is kept' },
    { level: 'info', details: { outage: 3200 }, message: 'Consul answers again' }
  ])
  t.equal(lines.length, 2)
  t.same(clock.pending, [])
})

t.test('a broken connection of an agent that goes on answering is not told, and keeps nobody from asking', async t => {
  const { connectivity, pass, lines, probes } = parts()
  connectivity.report(unreachable)
  t.ok(connectivity.up)
  await pass(100)
  t.ok(connectivity.up)
  t.equal(probes(), 1)
  t.same(lines, [])
})

t.test('an agent that refuses the probe answers', async t => {
  const { connectivity, pass, answerWith, clock } = parts()
  answerWith(() => { throw new ApiForbiddenError('GET /v1/status/leader', 403, '') })
  connectivity.report(unreachable)
  await pass(100)
  t.ok(connectivity.up)
  t.same(clock.pending, [])
})

t.test('a probe that had no token to send has asked nobody', async t => {
  const { connectivity, pass, answerWith, lines } = parts()
  answerWith(() => { throw new TokenError('the token option', 'sealed') })
  connectivity.report(unreachable)
  await pass(100)
  t.notOk(connectivity.up)
  answerWith(() => 'leader')
  await pass(200)
  t.ok(connectivity.up)
  t.match(lines.map(({ message }) => message), [/cannot be reached/, 'Consul answers again'])
})

t.test('whoever waits goes on within 200 ms of the first answer', async t => {
  const { connectivity, answerWith, pass, clock } = parts()
  answerWith(down)
  connectivity.report(unreachable)
  let restored = 0
  for (let i = 0; i < 3; i++) connectivity.restored(never).then(() => { restored++ })
  await pass(100)
  answerWith(() => 'leader')
  await pass(200)
  t.equal(restored, 0)
  t.same(clock.pending, [100, 100, 100], 'half of it, as chance says half')
  await pass(100)
  t.equal(restored, 3)
})

t.test('waiting ends with the reason of its signal', async t => {
  const { connectivity } = parts()
  connectivity.report(unreachable)
  const controller = new AbortController()
  const waiting = connectivity.restored(controller.signal)
  controller.abort(new Error('enough'))
  await t.rejects(waiting, { message: 'enough' })
})

t.test('after close nothing is probed and nothing is told', async t => {
  const { connectivity, clock, lines, probes } = parts()
  connectivity.report(unreachable)
  connectivity.close()
  await settle()
  t.same(clock.pending, [])
  connectivity.report(unreachable)
  t.same(clock.pending, [])
  t.same([lines.length, probes()], [0, 0])
})

t.test('a close in the middle of a probe is not told as its success', async t => {
  const { connectivity, clock, lines, answerWith } = parts()
  let fail = (_error: Error): void => {}
  answerWith(() => new Promise((_resolve, reject) => { fail = reject }))
  connectivity.report(unreachable)
  clock.advance(100)
  await settle()
  connectivity.close()
  fail(new Error('closed'))
  await settle()
  t.same(lines, [])
})
