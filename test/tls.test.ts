import t from 'tap'
import { filesIn, startSecureAgent, writeFiles } from './consul/secure-agent.ts'
import { listeningApp } from './lifecycle/app.ts'
import { gone, registered } from './lifecycle/catalog.ts'
import { certificateAuthority } from './support/certificates.ts'
import { until } from './support/wait.ts'

t.test('a service lives on over TLS while authority and certificates of both sides are rotated', async t => {
  const [first, second] = [await certificateAuthority('first'), await certificateAuthority('second')]
  const folder = t.testdir({ agent: {}, client: {} })
  const secure = await startSecureAgent(t, `${folder}/agent`, first)
  const files = filesIn(`${folder}/client`)
  await writeFiles(files, first)
  const { app, lines } = await listeningApp(t, {
    url: secure.url, tls: files, service: { name: 'web' }, discovery: { wait: '1s' }
  })
  await until(async () => (await app.discover('web')).length === 1)

  await secure.become(second) // which forgets the service
  await until(() => lines.some(({ message }) => message?.startsWith('Consul cannot be reached')))
  await t.rejects(app.consul.client.leader(), { message: /see tls\.ca/ })
  t.equal((await app.discover('web')).length, 1)
  await writeFiles(files, second)
  await registered(secure.agent, 'web', 'passing')
  t.equal(await (await app.fetch('http://web/')).text(), 'hello')
  await app.close()
  await gone(secure.agent, 'web')
})
