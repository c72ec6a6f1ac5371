import t from 'tap'
import { startConsul } from '../support/consul.ts'
import { boot, terminate } from './boot.ts'

t.test('the worker is passing by its own word, works, and leaves with exit code 0', async t => {
  const consul = await startConsul(t)
  await boot(t, 'provider.ts', consul, { SERVICE_NAME: 'l02-runtime' })
  const worker = await boot(t, 'worker.ts', consul, { SERVICE_NAME: 'worker' })

  t.match(worker.entry.Checks.filter(({ Type }) => Type !== ''), [{ Type: 'ttl', Status: 'passing' }])
  await worker.script.line(/^A job, with 1 instances of l02-runtime/)
  t.strictSame(await terminate(worker, consul, 'worker'), { code: 0, listed: [] })
})

t.test('the worker waits for a Consul that is down', async t => {
  const consul = await startConsul(t)
  await consul.kill()
  const booting = boot(t, 'worker.ts', consul, { SERVICE_NAME: 'worker' })
  await consul.start()
  const worker = await booting
  t.strictSame(await terminate(worker, consul, 'worker'), { code: 0, listed: [] })
})
