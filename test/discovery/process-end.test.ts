import t from 'tap'
import { startConsul } from '../support/consul.ts'
import { freePort } from '../support/ports.ts'
import { startScript } from '../support/process.ts'
import { register } from './helpers.ts'

const consul = await startConsul(t)
await register(consul, { Name: 'web' })
const down = `http://127.0.0.1:${await freePort()}`

for (const [what, CLOSE] of [['after close', 'yes'], ['also without close', 'no']] as const) {
  t.test(`watches and outages keep no process alive, ${what}`, async t => {
    const script = await startScript(t, new URL('process-end.ts', import.meta.url), {
      env: { CONSUL_URL: consul.url, DOWN_URL: down, CLOSE }
    })
    await script.line(/^done$/)
    const done = performance.now()
    t.same(await script.ended, { code: 0, signal: null })
    t.ok(performance.now() - done < 10_000, 'it ends at once')
  })
}
