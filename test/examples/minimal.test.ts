import t from 'tap'
import { startConsul } from '../support/consul.ts'
import { boot, terminate } from './boot.ts'

t.test('the minimal example registers, calls another service, and leaves with exit code 0', async t => {
  const consul = await startConsul(t)
  await boot(t, 'provider.ts', consul, { SERVICE_NAME: 'l02-runtime', SERVICE_ID: 'l02-runtime-1' })
  const minimal = await boot(t, 'minimal.ts', consul, { SERVICE_NAME: 'a' })

  const response = await fetch(`${minimal.url}/call-l02`)
  t.equal(response.status, 200)
  t.strictSame(await response.json(), { instances: 1, result: { status: 'executed', by: 'l02-runtime-1' } })
  t.strictSame(await terminate(minimal, consul, 'a'), { code: 0, listed: [] })
})
