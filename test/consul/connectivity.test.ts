import t from 'tap'
import { Connectivity, isConnectionError, isRefusal } from '../../lib/consul/connectivity.ts'
import {
  ApiForbiddenError, ApiRateLimitedError, ApiStatusError, ApiTimeoutError, ApiUnreachableError, TokenError
} from '../../lib/errors.ts'
import type { Logger } from '../../lib/logger.ts'
import { collectingLogger } from '../health/collecting-logger.ts'
import { ManualClock } from '../support/manual-clock.ts'

const unreachable = new ApiUnreachableError('GET /v1/a', 'connect ECONNREFUSED')
const settle = () => new Promise(setImmediate)
const never = new AbortController().signal

function parts (overrides: Partial<Logger> = {}) {
  const clock = new ManualClock()
  const { logger: collecting, lines } = collectingLogger()
  const logger = { ...collecting, ...overrides }
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
    t.equal(connectivity.up, i === 0, 'the first probe may break as any request')
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

t.test('a probe that breaks and is answered the next time is no outage either', async t => {
  const { connectivity, pass, answerWith, lines, probes } = parts()
  answerWith(down)
  connectivity.report(unreachable)
  await pass(100)
  answerWith(() => 'leader')
  await pass(200)
  t.equal(probes(), 2)
  t.ok(connectivity.up)
  t.equal(connectivity.outages, 0)
  t.same(lines, [])
})

t.test('a probe that takes long is a pause itself', async t => {
  const { connectivity, clock, pass, answerWith, probes } = parts()
  answerWith(async () => {
    await clock.sleep(1000)
    throw unreachable
  })
  connectivity.report(unreachable)
  await pass(100)
  t.equal(probes(), 1)
  for (let i = 2; i < 6; i++) {
    await pass(1000)
    await pass(0)
    t.equal(probes(), i)
  }
  connectivity.close()
})

t.test('an agent that comes and goes without end takes three lines', async t => {
  const { connectivity, pass, answerWith, lines } = parts()
  for (let i = 0; i < 20; i++) {
    answerWith(down)
    connectivity.report(unreachable)
    for (const ms of [750, 750]) await pass(ms)
    t.notOk(connectivity.up)
    answerWith(() => 'leader')
    await pass(750)
    t.ok(connectivity.up)
  }
  t.equal(connectivity.outages, 20)
  t.match(lines.map(({ message }) => message), [/cannot be reached/, /answers again/, /comes and goes all the time/])
  t.equal(lines.length, 3)
})

t.test('a logger that throws keeps nobody from asking when the agent is back', async t => {
  const { connectivity, pass, answerWith } = parts({ warn: () => { throw new Error('the worker has exited') } })
  answerWith(down)
  connectivity.report(unreachable)
  for (const ms of [100, 200]) await pass(ms)
  t.notOk(connectivity.up)
  answerWith(() => 'leader')
  await pass(400)
  t.ok(connectivity.up)
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
  await pass(200)
  t.notOk(connectivity.up)
  answerWith(() => 'leader')
  await pass(400)
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
  await t.rejects(connectivity.restored(controller.signal), { message: 'enough' })
})

t.test('after an error that is an answer it is of use to ask again when the pause is over', async t => {
  const { connectivity, clock, probes, pass } = parts()
  let over = false
  connectivity.recover(new ApiStatusError('GET /v1/a', 500, 'No cluster leader'), () => 700, never)
    .then(() => { over = true })
  t.same(clock.pending, [700])
  await pass(699)
  t.notOk(over)
  await pass(1)
  t.ok(over)
  t.equal(probes(), 0)
})

t.test('after a lost connection that is when a probe was answered, however many it takes, for all', async t => {
  const { connectivity, answerWith, pass, probes } = parts()
  let over = 0
  for (let i = 0; i < 3; i++) connectivity.recover(unreachable, () => 0, never).then(() => { over++ })
  answerWith(down)
  for (const ms of [100, 200, 400]) await pass(ms)
  answerWith(() => 'leader')
  await pass(499)
  await pass(1)
  t.equal(probes(), 4, 'one probe for all of them')
  await pass(99)
  t.equal(over, 0)
  await pass(1)
  t.equal(over, 3)
})

t.test('when connections break though probes are answered, it takes longer until a second was calm', async t => {
  const { connectivity, clock, pass, lines } = parts()
  const tries: number[] = []
  async function breakAgain () {
    const from = clock.now()
    connectivity.recover(unreachable, () => 0, never).then(() => tries.push(clock.now() - from))
    while (clock.pending[0] !== undefined) await pass(clock.pending[0])
  }
  for (let i = 0; i < 6; i++) await breakAgain()
  t.same(tries, [200, 300, 500, 600, 600, 600])
  await pass(1000)
  await breakAgain()
  t.equal(tries.at(-1), 200)
  t.same(lines, [])
})

t.test('to recover ends with the reason of its signal', async t => {
  const { connectivity, clock } = parts()
  for (const error of [unreachable, new ApiForbiddenError('GET /v1/a', 403, '')]) {
    const controller = new AbortController()
    const waiting = connectivity.recover(error, () => 1000, controller.signal)
    controller.abort(new Error('enough'))
    await t.rejects(waiting, { message: 'enough' })
    await t.rejects(connectivity.recover(error, () => 1000, controller.signal), { message: 'enough' })
  }
  connectivity.close()
  await settle()
  t.same(clock.pending, [])
})

t.test('an outage ends the requests that wait, which may never notice it', async t => {
  const { connectivity, answerWith, pass } = parts()
  const wait = (signal: AbortSignal) => new Promise<string>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  t.equal(await connectivity.hold(async () => 'in time', never), 'in time')
  const waiting = connectivity.hold(wait, never)
  answerWith(down)
  connectivity.report(unreachable)
  await pass(100)
  const ended = t.rejects(waiting, { code: 'FST_CONSUL_API_UNREACHABLE', cause: unreachable })
  await pass(200)
  await ended
})

t.test('a request that waits ends with its signal too', async t => {
  const { connectivity } = parts()
  const controller = new AbortController()
  const waiting = connectivity.hold(signal => new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  }), controller.signal)
  controller.abort(new Error('enough'))
  await t.rejects(waiting, { message: 'enough' })
  await t.rejects(connectivity.hold(async () => t.fail('must not be sent'), controller.signal), { message: 'enough' })
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
