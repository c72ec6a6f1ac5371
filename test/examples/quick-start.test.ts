import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { startConsul } from '../support/consul.ts'
import { boot, terminate } from './boot.ts'

t.test('the README\'s quick start registers, calls another service, and leaves on SIGTERM and SIGINT', async t => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  const [, program = ''] = /```ts\n(import Fastify.+?)```/s.exec(readme) ?? []
  t.match(program, 'port: 8001')
  const folder = t.testdir({ 'app.mjs': program.replace('port: 8001', 'port: 0') })
  const file = pathToFileURL(join(folder, 'app.mjs'))

  const consul = await startConsul(t)
  await boot(t, 'provider.ts', consul, { SERVICE_NAME: 'l02-runtime', SERVICE_ID: 'l02-runtime-1' })
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const app = await boot(t, file, consul, { SERVICE_NAME: 'l01-data-layer', SERVICE_ID: signal })
    const response = await fetch(`${app.url}/call-l02`)
    t.strictSame(await response.json(), { instances: 1, result: { status: 'executed', by: 'l02-runtime-1' } })
    t.strictSame(await terminate(app, consul, 'l01-data-layer', signal), { code: 0, listed: [] })
  }
})
