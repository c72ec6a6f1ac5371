import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import type { WireCheck } from '../../lib/consul/wire.ts'
import {
  ApiForbiddenError, ApiRateLimitedError, ApiStatusError, ApiTimeoutError, ApiUnreachableError
} from '../../lib/errors.ts'
import { ServiceView } from '../../lib/discovery/view.ts'
import { answerOf, check, entry } from '../consul/wire-entries.ts'
import { collectGarbage } from '../support/garbage.ts'

function viewOf (): ServiceView {
  return new ServiceView({ name: 'web', datacenter: undefined, filter: undefined, near: undefined })
}

const tagged = entry({ ID: 'a', Tags: ['x'] })
const plain = entry({ ID: 'b' })

t.test('a selection is the same array until one of its own instances changes', async t => {
  const view = viewOf()
  view.accept(answerOf([tagged, plain]), 0)
  const before = view.select({ tag: 'x' }, false)
  t.same(before.map(({ id }) => id), ['a'])
  t.ok(Object.isFrozen(before))
  t.equal(view.select({ tag: 'x' }, false), before)
  view.accept(answerOf([tagged, entry({ ID: 'b' }, [check('warning')])]), 0)
  t.equal(view.select({ tag: 'x' }, false), before, 'another instance has changed')
  view.accept(answerOf([entry({ ID: 'a', Tags: ['x'], Port: 1 }), plain]), 0)
  t.not(view.select({ tag: 'x' }, false), before)
})

t.test('without tag and status a selection is the list itself', async t => {
  const view = viewOf()
  t.same(view.select({}, false), [])
  view.accept(answerOf([tagged]), 0)
  t.equal(view.select({}, false), view.snapshot?.healthy)
})

t.test('selections do not mix', async t => {
  const view = viewOf()
  view.accept(answerOf([tagged, entry({ ID: 'c', Tags: ['x'] }, [check('warning')])]), 0)
  t.same(view.select({ tag: 'x' }, false).length, 2)
  t.same(view.select({ tag: 'x' }, true).length, 1)
  t.same(view.select({ tags: ['x'] }, false).length, 2)
  t.same(view.select({ tag: 'y' }, false).length, 0)
  t.same(view.select({}, true).length, 1)
})

t.test('however many tags are asked for, the right instances come', async t => {
  const view = viewOf()
  view.accept(answerOf([tagged, plain]), 0)
  const junk = Array.from({ length: 1000 }, (_, i) => view.select({ tag: `junk-${i}` }, false))
  t.ok(junk.every(list => list.length === 0))
  t.equal(view.select({ tag: 'x' }, false).length, 1)
})

t.test('a list that is out of date is not kept for tags that are not asked for again', async t => {
  const view = viewOf()
  view.accept(answerOf([tagged, plain]), 0)
  view.select({ tag: 'y' }, false)
  const old = new WeakRef(view.select({}, false))
  view.accept(answerOf([tagged]), 0)
  view.select({ tag: 'x' }, false)
  await turn()
  collectGarbage()
  t.equal(old.deref(), undefined)
})

t.test('however many tags are asked for in turn, hardly a list is made anew', async t => {
  const view = viewOf()
  const tags = Array.from({ length: 101 }, (_, index) => `t${index}`)
  view.accept(answerOf(tags.map(tag => entry({ ID: tag, Tags: [tag] }))), 0)
  const select = () => tags.map(tag => view.select({ tag }, false))
  const first = select()
  view.accept(answerOf([...tags.map(tag => entry({ ID: tag, Tags: [tag] })), plain]), 0)
  const anew = select().filter((list, index) => list !== first[index])
  t.equal(anew.length < 5, true, `${anew.length} of 101`)
})

t.test('a watched list is out of date from the moment on that its watch is broken off', async t => {
  const view = viewOf()
  view.accept(answerOf([]), 100)
  view.upkeep = 'watched'
  t.equal(view.staleFor(5000), 0)
  view.fail(new Error('lost'), 6000)
  view.fail(new Error('still lost'), 7000)
  t.equal(view.staleFor(8000), 2000)
  view.accept(answerOf([]), 9000)
  t.equal(view.staleFor(10_000), 0)
})

t.test('a list that is watched again is out of date until the first answer', async t => {
  const view = viewOf()
  view.accept(answerOf([]), 100)
  view.upkeep = 'idle'
  view.watch(false)
  t.equal(view.staleFor(5000), 4900)
  view.accept(answerOf([]), 6000)
  t.equal(view.staleFor(7000), 0)
  view.upkeep = 'unknown'
  view.watch(true)
  t.equal(view.staleFor(8000), 0, 'unless its watch goes on from the answer that is known')
})

t.test('any other list is out of date from its answer on', async t => {
  const view = viewOf()
  view.accept(answerOf([]), 100)
  for (const upkeep of ['idle', 'polled', 'unknown'] as const) {
    view.upkeep = upkeep
    t.equal(view.staleFor(500), 400)
  }
})

t.test('after an error it is of use to ask again: after a tenth of a second, after 1 s, after 5 s', async t => {
  const errors: [error: Error, pause: number][] = [
    [new ApiUnreachableError('GET /', 'ECONNREFUSED'), 100],
    [new ApiTimeoutError('GET /', 5), 100],
    [new ApiStatusError('GET /', 500, 'No cluster leader'), 1000],
    [new Error('other'), 1000],
    [new ApiForbiddenError('GET /', 403, 'ACL not found'), 5000],
    [new ApiRateLimitedError('GET /', 429, 'slow down'), 5000]
  ]
  for (const [error, pause] of errors) {
    const view = viewOf()
    view.fail(error, 100)
    t.equal(view.askAgainAt, 100 + pause, error.message)
    view.accept(answerOf([]), 100)
    t.equal(view.askAgainAt, 0)
  }
})

const ids = (view: ServiceView): string[] | undefined => view.snapshot?.healthy.map(({ id }) => id)

t.test('a newer list takes away what it lacks; one after an error, an outage or a step back does not', async t => {
  const ordinary = viewOf()
  ordinary.accept(answerOf([tagged, plain], { index: '7' }), 0)
  ordinary.accept(answerOf([plain], { index: '8' }), 0)
  t.same(ids(ordinary), ['b'])
  t.equal(ordinary.confirmAt, undefined)

  const failed = viewOf()
  failed.accept(answerOf([tagged, plain], { index: '7' }), 0)
  failed.fail(new Error('lost'), 0)
  failed.accept(answerOf([plain], { index: '8' }), 1000)
  t.same(ids(failed), ['b', 'a'])
  t.equal(failed.confirmAt, 31_000)

  const polled = viewOf()
  polled.accept(answerOf([tagged, plain], { index: '7' }), 0, 1)
  polled.accept(answerOf([plain], { index: '8' }), 0, 2)
  t.same(ids(polled), ['b', 'a'], 'an outage that was none of its own questions\' counts too')

  const back = viewOf()
  back.accept(answerOf([tagged, plain], { index: '7' }), 0)
  const { healthy } = back.snapshot!
  back.accept(answerOf([], { index: '6' }), 0)
  t.equal(back.snapshot?.healthy, healthy, 'the very same list')
})

t.test('what is kept can be selected as before', async t => {
  const view = viewOf()
  view.accept(answerOf([tagged, plain], { index: '7' }), 0)
  const before = view.select({ tag: 'x' }, false)
  view.accept(answerOf([], { index: '6' }), 0)
  t.equal(view.select({ tag: 'x' }, false), before)
})

t.test('a confirmation decides on what is kept, and on nothing else', async t => {
  const view = viewOf()
  view.accept(answerOf([tagged, plain, entry({ ID: 'c' })], { index: '57' }), 0)
  view.accept(answerOf([entry({ ID: 'd' })], { index: '7' }), 0)
  view.confirm(answerOf([plain, entry({ ID: 'e' })], { index: '9' }), 30_000)
  t.same(ids(view), ['d', 'b'], 'e is for the watch to tell')
  t.match(view.snapshot?.known, [{ held: undefined }, { listed: true, held: undefined }])
  t.equal(view.confirmAt, undefined)
})

t.test('critical without an output, of a check that the agent runs, is a check that has not run yet', async t => {
  const httpCheck = { ...check('critical'), Type: 'http' }
  const held = (critical: WireCheck): string[] | undefined => {
    const view = viewOf()
    view.accept(answerOf([plain], { index: '7' }), 0)
    view.fail(new Error('lost'), 0)
    view.accept(answerOf([entry({ ID: 'b' }, [critical])], { index: '8' }), 0)
    return ids(view)
  }
  t.same(held(httpCheck), ['b'])
  t.same(held({ ...httpCheck, Output: 'connection refused' }), [])
  t.same(held({ ...httpCheck, Type: 'ttl' }), [])
  t.same(held({ ...httpCheck, CheckID: '_node_maintenance' }), [])

  const moved = viewOf()
  moved.accept(answerOf([plain], { index: '7' }), 0)
  moved.fail(new Error('lost'), 0)
  moved.accept(answerOf([entry({ ID: 'b', Port: 81 }, [httpCheck])], { index: '8' }), 0)
  t.match(moved.snapshot?.healthy, [{ id: 'b', port: 81, status: 'passing' }], 'called where it is now')

  const view = viewOf()
  view.accept(answerOf([plain], { index: '7' }), 0)
  view.accept(answerOf([entry({ ID: 'b' }, [httpCheck])], { index: '8' }), 0)
  t.same(ids(view), [], 'without an outage it says no more than critical')
})

t.test('what was kept unchecked is out with its first failing check, and gone when it is removed', async t => {
  const unchecked = entry({ ID: 'b' }, [{ ...check('critical'), Type: 'http' }])
  for (const last of [[entry({ ID: 'b' }, [{ ...check('critical'), Type: 'http', Output: 'refused' }])], []]) {
    const view = viewOf()
    view.accept(answerOf([plain], { index: '7' }), 0)
    view.fail(new Error('lost'), 0)
    view.accept(answerOf([unchecked], { index: '8' }), 0)
    view.accept(answerOf([unchecked], { index: '9' }), 5000)
    t.same(ids(view), ['b'])
    view.accept(answerOf(last, { index: '10' }), 6000)
    t.same([ids(view), view.snapshot?.known.length], [[], last.length])
  }
})
