import t from 'tap'
import { startConsul } from '../support/consul.ts'
import { startCountingProxy, type Answer } from '../support/counting-proxy.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { startProxy } from '../support/proxy.ts'
import { until } from '../support/wait.ts'
import { deregister, idsOf, register, startCatalog } from './helpers.ts'

/** The first call for a service asks Consul, whatever else goes on. */

const consul = await startConsul(t)

t.test('an answer that a watch has overtaken does not count', async t => {
  await register(consul, { Name: 'overtaken', ID: 'old' })
  const proxy = await startCountingProxy(t, consul.url)
  const { catalog, ids } = startCatalog(t, proxy.url)
  const { text } = await consul.api('GET', '/v1/health/service/overtaken')
  let release: (answer: Answer) => void = () => {}
  proxy.answer = () => proxy.count() === 1 ? new Promise(resolve => { release = resolve }) : undefined
  const first = ids('overtaken')
  await until(() => proxy.count() === 1)
  catalog.preload('overtaken')
  await until(() => catalog.view('overtaken')?.snapshot !== undefined)
  await register(consul, { Name: 'overtaken', ID: 'new' })
  await deregister(consul, 'old')
  await until(() => String(idsOf(catalog.peek('overtaken'))) === 'new')
  release({ status: 200, headers: { 'x-consul-index': '7' }, body: text })
  t.same(await first, ['new'])
  t.same(idsOf(catalog.peek('overtaken')), ['new'])
})

t.test('a failure that a watch has overtaken is not told of its list', async t => {
  await register(consul, { Name: 'fine' })
  const proxy = await startCountingProxy(t, consul.url)
  const { catalog, ids } = startCatalog(t, proxy.url)
  let release: (answer: Answer) => void = () => {}
  proxy.answer = () => proxy.count() === 1 ? new Promise(resolve => { release = resolve }) : undefined
  const first = ids('fine')
  await until(() => proxy.count() === 1)
  catalog.preload('fine')
  await until(() => catalog.view('fine')?.snapshot !== undefined)
  release({ status: 500, body: 'late' })
  t.same(await first, ['fine'])
  t.match(catalog.view('fine'), { error: undefined, lostAt: undefined })
})

t.test('many first calls at once are no leak in the eyes of Node', async t => {
  const warnings: string[] = []
  const listener = ({ name }: Error) => { warnings.push(name) }
  process.on('warning', listener)
  t.teardown(() => process.off('warning', listener))
  const { catalog } = startCatalog(t, consul.url)
  await Promise.all(Array.from({ length: 30 }, (_, i) => catalog.discover(`first-${i}`)))
  t.same(warnings, [])
})

t.test('a connection that breaks is no reason to refuse the first call for another service', async t => {
  for (const name of ['web', 'db']) await register(consul, { Name: name })
  const proxy = await startProxy(t, consul)
  const { catalog, connectivity, ids } = startCatalog(t, proxy.url, { clock: new ManualClock() })
  await ids('web')
  await until(() => proxy.connections === 2)
  proxy.reset()
  await until(() => catalog.view('web')?.error !== undefined)
  t.ok(connectivity.up, 'that is for the first probe to say')
  t.same(await ids('db'), ['db'])
})
