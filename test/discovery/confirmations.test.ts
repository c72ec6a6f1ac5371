import t, { type Test } from 'tap'
import { Connectivity } from '../../lib/consul/connectivity.ts'
import type { Answer, WireHealthEntry } from '../../lib/consul/wire.ts'
import { Confirmations } from '../../lib/discovery/confirmations.ts'
import { heldFor } from '../../lib/discovery/guard.ts'
import { ServiceView } from '../../lib/discovery/view.ts'
import { ApiStatusError, ApiUnreachableError } from '../../lib/errors.ts'
import { answerOf, entry } from '../consul/wire-entries.ts'
import { collectingLogger } from '../health/collecting-logger.ts'
import { ManualClock } from '../support/manual-clock.ts'

type Reply = Answer<WireHealthEntry[]> | Error

/** A view that has lost its only instance to an index that went back. */
function start (t: Test, ...replies: Reply[]) {
  const clock = new ManualClock()
  const connectivity = new Connectivity({
    clock, logger: collectingLogger().logger, random: () => 0.5, probe: async () => {}
  })
  t.teardown(() => connectivity.close())
  const view = new ServiceView({ name: 'web', datacenter: undefined, filter: undefined, near: undefined })
  view.accept(answerOf([entry()], { index: '57' }), 0)
  view.accept(answerOf([], { index: '7' }), 0)
  const askedAt: number[] = []
  const confirmations = new Confirmations({
    async ask () {
      askedAt.push(clock.now())
      const reply = replies.shift()
      if (reply === undefined || reply instanceof Error) throw reply ?? new Error('nothing more was expected')
      return reply
    },
    onAnswer: (view, answer) => view.confirm(answer, clock.now()),
    connectivity,
    clock
  })
  t.teardown(() => confirmations.close())
  return {
    view,
    confirmations,
    clock,
    askedAt,
    ids: () => view.snapshot?.known.map(({ id }) => id),
    async pass (ms: number) {
      await new Promise(setImmediate)
      clock.advance(ms)
      await new Promise(setImmediate)
    }
  }
}

const empty = answerOf([], { index: '7' })

t.test('the leader is asked once, when the time has come', async t => {
  const { view, confirmations, pass, askedAt, ids, clock } = start(t, empty)
  for (let i = 0; i < 10; i++) confirmations.expect(view)
  await pass(heldFor - 1)
  t.same([askedAt, ids()], [[], ['a']])
  await pass(1)
  t.same([askedAt, ids()], [[heldFor], []])
  t.same(clock.pending, [])
})

t.test('without an answer the instance is kept, and the leader asked again 5 s later', async t => {
  const error = new ApiStatusError('GET /', 500, 'No cluster leader')
  const { view, confirmations, pass, askedAt, ids } = start(t, error, error, empty)
  confirmations.expect(view)
  await pass(heldFor)
  await pass(5000)
  t.same([askedAt, ids()], [[heldFor, heldFor + 5000], ['a']])
  await pass(5000)
  t.same(ids(), [])
})

t.test('an agent that cannot be reached is waited for', async t => {
  const { view, confirmations, pass, askedAt, ids } = start(t, new ApiUnreachableError('GET /', 'ECONNREFUSED'), empty)
  confirmations.expect(view)
  await pass(heldFor)
  for (let i = 0; i < 5; i++) await pass(2000)
  t.equal(askedAt.length, 2)
  t.same(ids(), [])
})

t.test('an answer that is filtered, or has a lower index, leaves the instance where it is', async t => {
  const filtered = start(t, answerOf([], { index: '7', filteredByAcls: true }))
  filtered.confirmations.expect(filtered.view)
  await filtered.pass(heldFor)
  await filtered.pass(1_000_000)
  t.same([filtered.askedAt.length, filtered.ids()], [1, ['a']])

  const back = start(t, answerOf([], { index: '6' }), answerOf([], { index: '6' }))
  back.confirmations.expect(back.view)
  await back.pass(heldFor)
  t.same(back.ids(), ['a'])
  await back.pass(heldFor)
  t.same(back.ids(), [])
})

t.test('an instance that the leader lists is an ordinary one again', async t => {
  const { view, confirmations, pass } = start(t, answerOf([entry({ Port: 81 })], { index: '9' }))
  confirmations.expect(view)
  await pass(heldFor)
  t.match(view.snapshot?.known, [{ listed: true, held: undefined, instance: { port: 81 } }])
})

t.test('nobody is asked for what was listed again, for a view that was forgotten, or after the end', async t => {
  const listed = start(t)
  listed.confirmations.expect(listed.view)
  listed.view.accept(answerOf([entry()], { index: '8' }), 1000)
  const forgotten = start(t)
  forgotten.confirmations.expect(forgotten.view)
  forgotten.confirmations.drop(forgotten.view)
  const closed = start(t)
  closed.confirmations.expect(closed.view)
  closed.confirmations.close()
  closed.confirmations.expect(closed.view)
  for (const { pass, askedAt, clock } of [listed, forgotten, closed]) {
    await pass(10 * heldFor)
    t.same([askedAt, clock.pending], [[], []])
  }
})
