import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import t from 'tap'
import { startConsul, type ConsulAgent } from '../support/consul.ts'
import { startProxy } from '../support/proxy.ts'
import { until } from '../support/wait.ts'
import { idsOf, register, startCatalog } from './helpers.ts'

/** A thousand services from one process. */

const consul = await startConsul(t)
const names = Array.from({ length: 1000 }, (_, i) => `service-${i}`)
await fill(consul, names)

/** A service of each name on a node of their own, in as few requests as Consul takes. */
async function fill ({ api }: ConsulAgent, names: readonly string[]): Promise<void> {
  const node = 'elsewhere'
  await api('PUT', '/v1/catalog/register', { Node: node, Address: '127.0.0.1' })
  for (let i = 0; i < names.length; i += 64) {
    const sets = names.slice(i, i + 64).map(name => (
      { Service: { Verb: 'set', Node: node, Service: { ID: name, Service: name, Port: 80 } } }))
    const { status, text } = await api('PUT', '/v1/txn', sets)
    if (status !== 200) throw new Error(text)
  }
}

t.test('a thousand services: at most 72 connections, and all changes are seen, also of those not called', async t => {
  let queries = 0
  const countQuery = (): void => { queries++ }
  subscribe('undici:request:create', countQuery)
  t.teardown(() => unsubscribe('undici:request:create', countQuery))
  const proxy = await startProxy(t, consul)
  const { catalog, lines, log } = startCatalog(t, proxy.url, { connection: { timeout: '2m' } })
  let most = 0
  const look = setInterval(() => { most = Math.max(most, proxy.connections) }, 1).unref()
  t.teardown(() => clearInterval(look))
  const lists = await Promise.all(names.map(name => catalog.discover(name)))
  t.same(lists.map(idsOf), names.map(name => [name]))
  const count = (upkeep: string): number => names.filter(name => catalog.view(name)?.upkeep === upkeep).length
  t.same([count('watched'), count('polled')], [64, 936])
  t.equal(log().filter(line => line.includes('maxWatches')).length, 1)

  const rare = names.filter(name => catalog.view(name)?.upkeep === 'polled').filter((_, i) => i % 50 === 0)
  await Promise.all(rare.map(name => register(consul, { Name: name, ID: `${name}-b`, Check: undefined })))
  const changed = performance.now()
  const before = queries
  await until(() => rare.every(name => catalog.view(name)?.snapshot?.known.length === 2), { timeout: 60_000 })
  const seconds = (performance.now() - changed) / 1000
  const asked = queries - before
  t.comment(`${rare.length} changes of services that nobody called were seen within ${seconds.toFixed(1)} s, ` +
    `which took ${(asked / seconds).toFixed()} queries a second`)
  t.ok(asked <= 210 + 200 * seconds)

  const hot = rare[0]!
  for (let i = 0; i < 1000; i++) catalog.peek(hot)
  await until(() => catalog.view(hot)?.upkeep === 'watched', { timeout: 30_000 })
  t.same([count('watched'), count('polled')], [64, 936])
  t.comment(`${most} connections at most`)
  t.ok(most <= 72, `${most} connections`)
  t.ok(proxy.opened < 150, `${proxy.opened} were opened in all`)
  t.same(lines.filter(({ level }) => level === 'warn').length, 1, 'one line names the limit')
})

t.test('of more than a thousand services the least called are forgotten, and junk names push out none', async t => {
  const { catalog, ids } = startCatalog(t, consul.url, { connection: { timeout: '2m' } })
  const left: string[] = []
  catalog.onLeave(instances => left.push(...idsOf(instances)))
  await Promise.all(names.map(name => catalog.discover(name)))
  const polled = names.filter(name => catalog.view(name)?.upkeep === 'polled')
  for (const name of polled.slice(5)) catalog.peek(name)
  await Promise.all(Array.from({ length: 100 }, (_, i) => catalog.discover(`junk-${i}`)))
  t.ok(names.every(name => catalog.view(name) !== undefined))

  const more = Array.from({ length: 5 }, (_, i) => `one-more-${i}`)
  await Promise.all(more.map(name => register(consul, { Name: name, Check: undefined })))
  for (const name of more) t.same(await ids(name), [name])
  const forgotten = [...names, ...more].filter(name => catalog.view(name) === undefined)
  t.equal(forgotten.length, 5)
  t.same(forgotten.filter(name => names.indexOf(name) >= 0 && !polled.slice(0, 5).includes(name)), [])
  t.same(left.filter(id => !forgotten.includes(id)), [], 'and who holds their instances is told')
  t.equal(left.length, 5)
})
