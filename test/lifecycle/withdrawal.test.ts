import { EventEmitter } from 'node:events'
import t, { type Test } from 'tap'
import type { WireHealthEntry } from '../../lib/consul/wire.ts'
import { Registration } from '../../lib/lifecycle/registration.ts'
import { startConsul } from '../support/consul.ts'
import { startCountingProxy, type CountingProxy } from '../support/counting-proxy.ts'
import { once, until } from '../support/wait.ts'
import { messages } from './app.ts'
import { agentService, entriesOf } from './catalog.ts'
import { registrationParts } from './parts.ts'

const consul = await startConsul(t)

interface Unseen {
  registration: Registration
  proxy: CountingProxy
  lines: ReturnType<typeof registrationParts>['lines']
  /** What the watch of the catalog would tell. */
  list: (entries: readonly WireHealthEntry[]) => void
}

/** A service that the agent has, and of which the watch of the catalog has told nothing yet. */
async function unseen (t: Test, id: string): Promise<Unseen> {
  const proxy = await startCountingProxy(t, consul.url)
  const { parts, plan, lines } = registrationParts(t, { url: proxy.url, service: { name: id, id } })
  let list: Parameters<typeof parts.follow>[1] = () => {}
  const registration = new Registration({
    ...parts,
    follow: (_, listener) => {
      list = listener
      return () => {}
    }
  })
  t.teardown(() => registration.close())
  await registration.start(plan)
  return { registration, proxy, lines, list: entries => list(entries, false) }
}

t.test('taken out before the catalog was seen to list it, the catalog is asked whether it has gone', async t => {
  const { registration, proxy, lines } = await unseen(t, 'early')
  t.ok(await registration.withdraw(10_000))
  t.equal(proxy.count('/v1/health/service/early'), 1)
  t.same(await entriesOf(consul, 'early'), [])
  t.equal(messages(lines).at(-1), 'Deregistered from Consul')
})

t.test('if it is still on its way there, its end is awaited', async t => {
  const { registration, proxy, lines, list } = await unseen(t, 'on-its-way')
  // An agent that answers before the catalog knows.
  let confirmed = false
  proxy.answer = async ({ url }) => {
    if (url.startsWith('/v1/agent/service/deregister/')) return { status: 200 }
    if (!url.startsWith('/v1/health/service/')) return undefined
    const { status, text } = await consul.api('GET', url)
    confirmed = true
    return { status, body: text }
  }
  let isGone = false
  const withdrawn = registration.withdraw(20_000).then(() => { isGone = true })
  await until(() => confirmed)
  list(await entriesOf(consul, 'on-its-way'))
  await consul.api('PUT', '/v1/agent/service/deregister/on-its-way')
  t.notOk(isGone)
  list([])
  await withdrawn
  t.equal(messages(lines).at(-1), 'Deregistered from Consul')
})

t.test('looking for traps holds up neither the registration nor its end', async t => {
  const held = new EventEmitter()
  const proxy = await startCountingProxy(t, consul.url)
  proxy.answer = async ({ url }) => {
    if (url.startsWith('/v1/agent/self')) await once(held, 'end', 30_000)
    return undefined
  }
  const { parts, plan, lines } = registrationParts(t, {
    url: proxy.url, timeout: '20s', service: { name: 'trapped', id: 'trapped' }
  })
  const registration = new Registration(parts)
  t.teardown(() => registration.close())
  await registration.start(plan)
  await until(() => registration.status.state === 'registered')
  t.ok(await agentService(consul, 'trapped'))
  await until(() => proxy.count('/v1/agent/self') === 1)
  await registration.withdraw(10_000)
  t.equal(held.listenerCount('end'), 1, 'it is still held')
  t.equal(await agentService(consul, 'trapped'), undefined)
  t.same(messages(lines, 'warn'), [])
  held.emit('end')
})
