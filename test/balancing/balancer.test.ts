import t from 'tap'
import { Balancer } from '../../lib/balancing/balancer.ts'
import type { Endpoint } from '../../lib/balancing/endpoint.ts'
import { memory } from '../../lib/balancing/ewma.ts'
import { strategyNames, type StrategyChoice } from '../../lib/balancing/strategies.ts'
import { context, idOf, instance, seeded, tally } from './helpers.ts'
import { outlier } from './service.ts'

function setUp (): { balancer: Balancer, gone: Endpoint[] } {
  const gone: Endpoint[] = []
  const balancer = new Balancer({ warningShare: 0.1, random: seeded(1), onGone: endpoint => gone.push(endpoint) })
  return { balancer, gone }
}

t.test('an instance in warning gets the warning share', async t => {
  const { balancer } = setUp()
  const group = balancer.group('svc')
  const instances = [instance({ id: 'a' }), instance({ id: 'b' }), instance({ id: 'c', status: 'warning' })]
  const picks = Array.from({ length: 210 }, () => idOf(group.pick(instances, 'round-robin', context())))
  t.same(tally(picks), { a: 100, b: 100, c: 10 })
})

t.test('what a response of a service takes is known for as long as there is one of its instances', async t => {
  for (const options of [false, outlier] as const) {
    const balancer = new Balancer({ warningShare: 0.1, random: seeded(1), onGone () {}, outlier: options })
    const endpoint = (id: string) => balancer.group('svc').pick([instance({ id })], 'first', context())!
    const [stays, leaves] = [endpoint('stays'), endpoint('leaves')]
    stays.begin()
    stays.record('success', 0, 10, 10, 'measured')
    balancer.remove([leaves.instance])
    const newcomer = endpoint('newcomer')
    newcomer.begin()
    newcomer.record('success', 10, 11, 1, 'untypical')
    t.equal(Math.exp(newcomer.latencyLevel - 11 / memory).toFixed(3), '10.000')
  }
})

t.test('an instance of weight 0 gets nothing, and serves as the last resort', async t => {
  const { balancer } = setUp()
  const group = balancer.group('svc')
  const spare = instance({ id: 'spare', status: 'warning', weights: { passing: 1, warning: 0 } })
  const instances = [spare, instance({ id: 'a' }), instance({ id: 'b' })]
  const pick = (tried: Endpoint[] = []) => group.pick(instances, 'round-robin', context(tried))
  t.same(tally(Array.from({ length: 100 }, () => idOf(pick()))), { a: 50, b: 50 })
  const tried = [pick()!]
  tried.push(pick(tried)!)
  const last = pick(tried)
  t.equal(idOf(last), 'spare')
  t.equal(pick([...tried, last!]), undefined)
})

t.test('instances that all have weight 0 share alike', async t => {
  const { balancer } = setUp()
  const zero = { status: 'warning', weights: { passing: 1, warning: 0 } } as const
  const instances = [instance({ id: 'a', ...zero }), instance({ id: 'b', ...zero })]
  const group = balancer.group('svc')
  t.same(tally(Array.from({ length: 10 }, () => idOf(group.pick(instances, 'round-robin', context())))), { a: 5, b: 5 })
})

t.test('whether a call may be repeated is not asked while nobody is ejected', async t => {
  const group = setUp().balancer.group('svc')
  const call = { ...context([], 'key'), get repeatable (): boolean { throw new Error('asked') } }
  for (const name of strategyNames as readonly StrategyChoice[]) t.ok(group.pick([instance()], name, call))
})

t.test('no instances, no pick', async t => {
  t.equal(setUp().balancer.group('svc').pick([], 'round-robin', context()), undefined)
})

t.test('an endpoint stays the same over a change of status, in every group', async t => {
  const { balancer, gone } = setUp()
  const before = balancer.group('svc').pick([instance()], 'first', context())!
  before.begin()
  before.record('success', 0, 20)
  const warning = instance({ status: 'warning' })
  const after = balancer.group('svc', 'tag').pick([warning], 'random', context())!
  t.equal(after, before)
  t.equal(after.instance, warning)
  t.equal(after.weight, 0.1)
  t.equal(after.outstanding, 1)
  t.equal(after.load, 20, 'two attempts for a tenth of the weight')
  t.equal(Math.exp(after.latencyLevel - 20 / memory).toFixed(3), '20.000')
  t.same(gone, [])
})

t.test('an instance that moves is another endpoint; the old one is gone', async t => {
  const { balancer, gone } = setUp()
  const old = instance({ port: 1 })
  const before = balancer.group('svc').pick([old], 'first', context())
  const after = balancer.group('svc').pick([instance({ port: 2 })], 'first', context())
  t.not(after, before)
  t.same(gone, [before])
  balancer.remove([old])
  t.equal(balancer.size, 1, 'that the old one has left says nothing of the new one')
})

t.test('an instance that leaves is gone, once', async t => {
  const { balancer, gone } = setUp()
  const endpoint = balancer.group('svc').pick([instance()], 'first', context())
  balancer.remove([instance(), instance({ id: 'never called' })])
  balancer.remove([instance()])
  t.same(gone, [endpoint])
  t.equal(balancer.size, 0)
})

t.test('an instance that left one list and stands in another still is an endpoint anew, which can be gone', async t => {
  const { balancer, gone } = setUp()
  const list = [instance()]
  const before = balancer.group('svc').pick(list, 'first', context())
  balancer.remove(list)
  const after = balancer.group('svc').pick(list, 'first', context())
  t.not(after, before)
  t.equal(balancer.group('svc').pick(list, 'first', context()), after)
  balancer.remove(list)
  t.same(gone, [before, after])
})

t.test('the same address under two services is two endpoints', async t => {
  const { balancer } = setUp()
  const one = balancer.group('one').pick([instance({ name: 'one' })], 'first', context())
  const two = balancer.group('two').pick([instance({ name: 'two' })], 'first', context())
  t.not(one, two)
  t.equal(one?.instance.name, 'one')
})

t.test('groups keep their place apart, by service, tag and datacenter', async t => {
  const { balancer } = setUp()
  t.equal(balancer.group('svc'), balancer.group('svc'))
  t.not(balancer.group('svc', 'tag'), balancer.group('svc'))
  t.not(balancer.group('svc', undefined, 'tag'), balancer.group('svc', 'tag'))
})

t.test('of very many names those that are not called are forgotten', async t => {
  const { balancer } = setUp()
  const [called, never] = [balancer.group('called'), balancer.group('never')]
  for (let name = 0; name < 3000; name++) {
    balancer.group(`junk${name}`)
    if (name % 100 === 0) t.equal(balancer.group('called'), called)
  }
  t.not(balancer.group('never'), never)
})

t.test('a strategy named in a call has a place of its own', async t => {
  const { balancer } = setUp()
  const instances = [instance({ id: 'a' }), instance({ id: 'b' })]
  const group = balancer.group('svc')
  const next = () => idOf(group.pick(instances, 'round-robin', context()))
  const first = next()
  t.equal(idOf(group.pick(instances, 'first', context())), 'a')
  t.equal(idOf(group.pick(instances, list => list[1], context())), 'b')
  t.not(next(), first, 'round robin goes on where it was')
})
