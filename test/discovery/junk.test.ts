import t from 'tap'
import { listeningApp, messages } from '../lifecycle/app.ts'
import { registered } from '../lifecycle/catalog.ts'
import { startConsul } from '../support/consul.ts'
import { startProxy } from '../support/proxy.ts'
import { until } from '../support/wait.ts'

/** Names that come from users, and are none of Consul's. */

const consul = await startConsul(t)

t.test('twenty thousand at once hold up neither the registration nor the service that is there', async t => {
  const proxy = await startProxy(t, consul)
  const { app, lines } = await listeningApp(t, { url: proxy.url, service: { name: 'besieged' } })
  let most = 0
  const look = setInterval(() => { most = Math.max(most, proxy.connections) }, 5).unref()
  t.teardown(() => clearInterval(look))
  const junk = Array.from({ length: 20_000 }, (_, i) => app.discover(`junk-${i}`))
  let answered = 0
  for (const call of junk) call.then(() => answered++)
  const id = await until(() => app.consul.registration.state === 'registered' && app.consul.registration.id,
    { timeout: 30_000 })
  t.comment(`registered after ${answered} of the ${junk.length} answers`)
  await consul.api('PUT', `/v1/agent/service/deregister/${id}`)
  await registered(consul, 'besieged', 'passing')
  t.comment(`and again after ${answered}`)
  t.ok(answered < junk.length, 'both did not have to wait for them')
  for (const list of await Promise.all(junk)) if (list.length > 0) t.fail('no junk has instances')
  t.ok(most <= 72, `${most} connections`)
  t.same(messages(lines, 'warn').filter(line => /reached|answers/.test(line)), [])
})
