import t, { type Test } from 'tap'
import { agentService } from './lifecycle/catalog.ts'
import { startConsul } from './support/consul.ts'
import { freePort } from './support/ports.ts'
import { startScript, type Script } from './support/process.ts'

const consul = await startConsul(t)

async function run (t: Test, act: string, url = consul.url): Promise<Script> {
  const script = await startScript(t, new URL('lifecycle/worker.ts', import.meta.url), {
    args: [act], env: { CONSUL_URL: url, CONSUL_TIMEOUT: '1s' }
  })
  t.same(await script.ended, { code: 0, signal: null })
  return script
}

for (const act of ['close', 'using']) {
  t.test(`a program that registers and ends with ${act} ends by itself and leaves nothing in Consul`, async t => {
    const { lines } = await run(t, act)
    t.ok(lines.includes('end'))
    t.equal(await agentService(consul, 'worker'), undefined)
  })
}

t.test('a program that never closes ends by itself: watches and heartbeats keep nothing alive', async t => {
  const { lines } = await run(t, 'nothing')
  t.ok(lines.includes('end'))
  t.match(await agentService(consul, 'worker'), { ID: 'worker' }, 'and is left to its check')
})

t.test('without Consul too', async t => {
  const url = `http://127.0.0.1:${await freePort()}`
  for (const act of ['close', 'nothing']) t.ok((await run(t, act, url)).lines.includes('end'))
})

t.test('a script that registers something ends by itself', async t => {
  const { lines } = await run(t, 'script')
  t.same(lines, ['id scripted'])
  t.match(await agentService(consul, 'scripted'), { ID: 'scripted', Port: 9200 })
})
