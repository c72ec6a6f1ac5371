import t from 'tap'
import { StaticSource } from '../../lib/discovery/static.ts'
import { resolveOptions } from '../../lib/options/resolve.ts'

function sourceOf (fallback: Record<string, string | string[]>): StaticSource {
  return new StaticSource(resolveOptions({ fallback }, { environment: {} }).fallback)
}

t.test('the addresses of the fallback are instances', async t => {
  const source = sourceOf({ web: ['http://10.0.0.1:8080', 'https://host.test', 'http://[2001:db8::1]:81'] })
  const instances = await source.discover('web')
  t.match(instances, [
    { name: 'web', address: '10.0.0.1', port: 8080, scheme: 'http', status: 'passing', weight: 1, tags: [], meta: {} },
    { address: 'host.test', port: 443, scheme: 'https', url: 'https://host.test:443' },
    { address: '2001:db8::1', port: 81, url: 'http://[2001:db8::1]:81' }
  ])
  t.equal(new Set(instances.map(({ id }) => id)).size, 3)
})

t.test('they are always the same frozen array', async t => {
  const source = sourceOf({ web: 'http://a:1' })
  const instances = await source.discover('web')
  t.ok(Object.isFrozen(instances))
  t.equal(await source.discover('web'), instances)
  t.equal(source.peek('web'), instances)
})

t.test('a service without a fallback has no instance', async t => {
  const source = sourceOf({ web: 'http://a:1' })
  t.same(await source.discover('other'), [])
  t.same(await source.discover('constructor'), [])
  t.ok(source.has('web'))
  t.notOk(source.has('constructor'))
})

t.test('services are listed, whatever they are called', async t => {
  const source = sourceOf(JSON.parse('{ "web": "http://a:1", "__proto__": "http://b:1" }'))
  t.same(Object.keys(source.list()), ['web', '__proto__'])
  t.equal(source.size, 2)
  t.equal((await source.discover('__proto__')).length, 1)
})

t.test('the names that Consul cannot be asked for are refused here too', async t => {
  for (const name of ['', '..', 'a\nb']) {
    await t.rejects(sourceOf({}).discover(name), { code: 'FST_CONSUL_INVALID_NAME' })
  }
})

t.test('nobody ever leaves, and nothing is to be ended', async t => {
  t.equal(sourceOf({ web: 'http://a:1' }).onLeave()(), undefined)
})

t.test('a name in capitals is found as a URL spells it', async t => {
  const source = sourceOf({ Web: 'http://a:1' })
  t.equal(source.peek('web').length, 1)
  t.ok(source.has('web'))
  t.same(Object.keys(source.list()), ['Web'])
})
