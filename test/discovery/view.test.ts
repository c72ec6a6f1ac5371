import t from 'tap'
import {
  ApiForbiddenError, ApiRateLimitedError, ApiStatusError, ApiTimeoutError, ApiUnreachableError
} from '../../lib/errors.ts'
import { ServiceView } from '../../lib/discovery/view.ts'
import { answerOf, check, entry } from '../consul/wire-entries.ts'

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
