import { inspect } from 'node:util'
import t from 'tap'
import type { Ejection } from '../../lib/balancing/outlier.ts'
import type { ServiceInstance } from '../../lib/consul/instance.ts'
import { ApiStatusError } from '../../lib/errors.ts'
import type { Compared } from '../../lib/discovery/compared-service.ts'
import { ServiceView } from '../../lib/discovery/view.ts'
import { StaticSource } from '../../lib/discovery/static.ts'
import { explain, type Explanation } from '../../lib/observe/explain.ts'
import { answerOf, check, entry } from '../consul/wire-entries.ts'

interface Circumstances {
  now: number
  maxStale?: number
  spare?: string
  /** By the instance's id. */
  ejections?: ReadonlyMap<string, Ejection>
  /** Those that are called all the same. */
  called?: readonly string[]
  waiting?: number
  compared?: Compared
  notCompared?: Explanation['notCompared']
}

function viewOf (): ServiceView {
  return new ServiceView({ name: 'web', datacenter: undefined, filter: undefined, near: undefined })
}

function explained (
  view: ServiceView | undefined,
  { now, maxStale, spare, ejections, called = [], waiting = 0, compared, notCompared }: Circumstances
): Explanation {
  const spares = spare === undefined ? [] : new StaticSource({ web: [spare] }).peek('web')
  const calls = {
    waitingFor: () => waiting,
    ejectionOf: ({ id }: ServiceInstance) => ejections?.get(id),
    leftOutOf: (all: readonly ServiceInstance[]) =>
      new Set(all.filter(({ id }) => ejections?.has(id) === true && !called.includes(id)))
  }
  const usual = { query: {}, passingOnly: false, warningShare: 0.1, compared, notCompared }
  return explain('web', { ...usual, view, spare: spares, maxStale, calls, now })
}

const reasonsOf = (explanation: Explanation): string[] => explanation.instances.map(({ reason }) => reason)
const list = [entry(), entry({ ID: 'b' }, [{ ...check('critical'), Output: 'HTTP 500\n\n<html>\n' }])]

t.test('printed, or as a string, it is a table with a line for each instance', async t => {
  const view = viewOf()
  view.accept(answerOf(list), 0)
  view.watch(true)
  const explanation = explained(view, { now: 1234 })
  const table = [
    'web: 1 of 2 callable, from consul, watched, Consul answered 1.2 s ago',
    '  in   a  node-1  10.0.0.2:80  passing',
    '  out  b  node-1  10.0.0.2:80  critical (check service:a: HTTP 500 <html>)'
  ].join('\n')
  t.equal(String(explanation), table)
  t.equal(inspect(explanation), table)
  t.match(JSON.parse(JSON.stringify(explanation)), { service: 'web', instances: [{ id: 'a' }, { id: 'b' }] })
})

t.test('nothing known is one line', async t => {
  t.equal(String(explained(undefined, { now: 0 })), 'web: nothing is known of it')
})

t.test('the fallback stands alone where Consul was not asked, and what Consul does not list is named so', t => {
  const spare = String(explained(undefined, { now: 0, spare: 'http://10.0.0.9:1' }))
  t.equal(spare.split('\n')[0], 'web: 1 of 1 callable, from fallback')
  const view = viewOf()
  view.accept(answerOf([]), 0)
  view.upkeep = 'unknown'
  t.equal(String(explained(view, { now: 100 })),
    'web: 0 of 0 callable, from consul, not listed by Consul, Consul answered 0.1 s ago')
  t.end()
})

t.test('calls that wait for a connection are counted', async t => {
  const lines = String(explained(undefined, { now: 0, spare: 'http://10.0.0.9:1', waiting: 3 })).split('\n')
  t.equal(lines[1], '  calls that wait for a connection: 3')
})

t.test('how Consul compares with the fallback is said where only that is used', async t => {
  const spare = 'http://10.0.0.9:1'
  const compared = { onlyInFallback: [], onlyInConsul: [], mismatches: 0 }
  const textOf = (compared: Compared): string[] => String(explained(undefined, { now: 0, spare, compared })).split('\n')
  t.equal(textOf(compared)[1], '  Consul lists the instances of fallback; 0 differences so far')
  t.same(textOf({ onlyInFallback: [spare], onlyInConsul: ['http://10.0.0.8:1'], mismatches: 1 }).slice(1, 4), [
    '  Consul lists other instances than fallback; 1 difference so far',
    '  only in fallback: http://10.0.0.9:1',
    '  only in Consul: http://10.0.0.8:1'
  ])
})

t.test('why Consul cannot be compared with the fallback is a line, with or without what was found before', async t => {
  const spare = 'http://10.0.0.9:1'
  const notCompared = { error: 'Consul said\nno', staleFor: 12_345 }
  const told = '  not compared with fallback for 12.3 s: Consul said no'
  t.same(String(explained(undefined, { now: 0, spare, notCompared })).split('\n').slice(1, -1), [told])
  const compared = { onlyInFallback: [], onlyInConsul: [], mismatches: 0 }
  t.same(String(explained(undefined, { now: 0, spare, compared, notCompared })).split('\n').slice(1, -1), [
    told, '  Consul lists the instances of fallback; 0 differences so far'
  ])
})

t.test('a page in a check\'s output is cut', async t => {
  const view = viewOf()
  view.accept(answerOf([entry({}, [{ ...check('critical'), Output: 'x'.repeat(4000) }])]), 0)
  t.ok(String(explained(view, { now: 0 })).length < 400)
})

t.test('an outage is a line with what is missed and one with the error', async t => {
  const view = viewOf()
  view.accept(answerOf(list), 0)
  view.watch(true)
  view.fail(new ApiStatusError('GET /', 500, 'No cluster leader'), 1000)
  t.match(String(explained(view, { now: 3000 })).split('\n').slice(1, 3), [
    '  changes may have been missed for 2.0 s', '  error: Consul answered GET / with 500: No cluster leader'
  ])
})

t.test('a list that is older than maxStale is not given out: nothing in it is callable, but the fallback', async t => {
  const view = viewOf()
  view.accept(answerOf(list), 0)
  view.watch(true)
  view.fail(new Error('gone'), 1000)
  const young = explained(view, { now: 6000, maxStale: 5000 })
  t.match(young, { tooOld: false, source: 'consul', instances: [{ callable: true }, { callable: false }] })
  const old = explained(view, { now: 6001, maxStale: 5000 })
  t.match(old, { tooOld: true, source: 'consul', instances: [{ callable: false }, { callable: false }] })
  t.match(reasonsOf(old), ['the list is older than discovery.maxStale; passing', /discovery\.maxStale; critical/])
  t.match(String(old), /\n {2}not given out: the list is older than discovery\.maxStale\n/)
  const spared = explained(view, { now: 6001, maxStale: 5000, spare: 'http://10.0.0.9:1' })
  t.match(spared, { source: 'fallback', instances: [{ callable: true }, { callable: false }, { callable: false }] })
})

t.test('each doubt has its words, and says for how long an instance is kept', async t => {
  const filtered = viewOf()
  filtered.accept(answerOf(list, { index: '7' }), 0)
  filtered.accept(answerOf([], { index: '8', filteredByAcls: true }), 1000)
  t.match(explained(filtered, { now: 13_000 }), {
    partial: true,
    instances: [{ callable: true, keptFor: 12_000 }, { callable: false, keptFor: 12_000 }]
  })
  t.match(reasonsOf(explained(filtered, { now: 13_000 })), [
    'passing; kept for 12 s: the token sees only a part of the list',
    /^critical \([^]*\); kept for 12 s: the token sees/
  ])
  t.match(String(explained(filtered, { now: 13_000 })), /\n {2}the token seems to see only a part of the list\n/)

  const unmoved = viewOf()
  unmoved.accept(answerOf(list, { index: '7' }), 0)
  unmoved.accept(answerOf([], { index: '7' }), 0)
  t.match(reasonsOf(explained(unmoved, { now: 0 }))[0], /although the index says that nothing has changed/)

  const back = viewOf()
  back.accept(answerOf(list, { index: '7' }), 0)
  back.accept(answerOf([], { index: '6' }), 0)
  t.equal(reasonsOf(explained(back, { now: 10_000 }))[0],
    'passing; kept for 10 s: it is missing since the index went back, until Consul confirms it in 20 s')

  const disrupted = viewOf()
  disrupted.accept(answerOf(list, { index: '7' }), 0)
  disrupted.fail(new Error('gone'), 0)
  disrupted.accept(answerOf([], { index: '8' }), 0)
  t.match(reasonsOf(explained(disrupted, { now: 60_000 }))[0],
    /it is missing since Consul could not be asked for a while, until Consul confirms it in 0 s$/)
})

t.test('an instance that its agent has yet to check again is in, and says so', async t => {
  const view = viewOf()
  view.accept(answerOf([entry()], { index: '7' }), 0)
  view.fail(new Error('gone'), 0)
  view.accept(answerOf([entry({}, [{ ...check('critical'), Type: 'http' }])], { index: '8' }), 0)
  t.match(explained(view, { now: 0 }).instances, [
    { callable: true, reason: /^critical, but its check has not run yet; kept for 0 s, until Consul confirms it/ }
  ])
})

t.test('an instance of weight 0 is out, unless no other one weighs more', async t => {
  const weightless = entry({ ID: 'b', Weights: { Passing: 0, Warning: 1 } })
  for (const [entries, callable] of [[[entry(), weightless], [true, false]], [[weightless], [true]]] as const) {
    const view = viewOf()
    view.accept(answerOf([...entries]), 0)
    const { instances } = explained(view, { now: 0 })
    t.same(instances.map(each => each.callable), callable)
    const more = callable.length === 1 ? '' : '; left out of calls that others can serve: its weight is 0'
    t.equal(instances.at(-1)?.reason, `passing${more}`)
  }
})

t.test('what calls leave out is named, for how long and why', async t => {
  const view = viewOf()
  view.accept(answerOf([entry(), entry({ ID: 'b' })]), 0)
  view.watch(true)
  const ejections = new Map<string, Ejection>([
    ['a', { reason: 'consecutive failures', since: 0, until: 5000, failure: 503 }],
    ['b', { reason: 'success rate', since: 0, until: 1000, failure: 'ECONNRESET' }]
  ])
  const explanation = explained(view, { now: 2000, ejections })
  t.same(reasonsOf(explanation), [
    'passing; left out of calls for 3 s more: it failed again and again, at last with status 503',
    'passing; left out of calls until an attempt succeeds: it fails far more often than the others, ' +
      'at last with ECONNRESET'
  ])
  t.same(explanation.instances.map(({ callable }) => callable), [false, false])
  t.match(explained(view, { now: 2000, ejections, called: ['b'] }).instances, [
    { callable: false },
    { callable: true, reason: /; called although it fails far more .*, at last with ECONNRESET: no more may be left/ }
  ])
  const spare = new StaticSource({ web: ['http://10.0.0.9:80'] }).peek('web')[0]
  const alone = explained(undefined, {
    now: 2000, spare: 'http://10.0.0.9:80', ejections: new Map([[spare!.id, ejections.get('a')!]])
  })
  t.match(reasonsOf(alone), [/^listed in fallback; left out of calls for 3 s more/])
})
