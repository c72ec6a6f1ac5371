import t from 'tap'
import { startConsul } from '../support/consul.ts'
import { until } from '../support/wait.ts'
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

// Provider and consumer

const services = { provider: 'l02-runtime', consumer: 'l01-data-layer' }

t.test('the consumer calls the providers in turn, and survives one that is killed', async t => {
  const consul = await startConsul(t)
  const [one, two, consumer] = await Promise.all([
    boot(t, 'provider.ts', consul, { SERVICE_NAME: services.provider, SERVICE_ID: 'one' }),
    boot(t, 'provider.ts', consul, { SERVICE_NAME: services.provider, SERVICE_ID: 'two' }),
    boot(t, 'consumer.ts', consul, { SERVICE_NAME: services.consumer })
  ])
  await until(async () => (await call(consumer.url)).instances === 2)

  const answers = [await call(consumer.url), await call(consumer.url)]
  t.strictSame(answers.map(({ result: { by } }) => by).sort(), ['one', 'two'])

  const calls = Array.from({ length: 200 }, async (_, place) => {
    if (place === 100) await one.script.kill()
    return await call(consumer.url)
  })
  const statuses = (await Promise.all(calls)).map(({ result: { status } }) => status)
  t.strictSame(new Set(statuses), new Set(['executed']))

  t.strictSame(await terminate(two, consul, services.provider), { code: 0, listed: [] })
  t.strictSame(await terminate(consumer, consul, services.consumer), { code: 0, listed: [] })
})

async function call (url: string): Promise<{ instances: number, result: { status: string, by: string } }> {
  const response = await fetch(`${url}/call-l02`)
  if (response.status !== 200) throw new Error(await response.text())
  return await response.json() as { instances: number, result: { status: string, by: string } }
}

// Metrics

t.test('the metrics example serves metrics of its calls and of Node', async t => {
  const consul = await startConsul(t)
  await boot(t, 'provider.ts', consul, { SERVICE_NAME: services.provider })
  const example = await boot(t, 'metrics.ts', consul, { SERVICE_NAME: services.consumer })
  t.match(await (await fetch(`${example.url}/call-l02`)).json(), { status: 'executed' })

  const response = await fetch(`${example.url}/metrics`)
  t.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
  const text = await response.text()
  t.match(text, 'consul_calls_total{service="l02-runtime",outcome="answered",status="2xx"} 1\n')
  t.match(text, 'consul_registrations_total{service="l01-data-layer",reason="first"} 1\n')
  t.match(text, 'nodejs_eventloop_lag_seconds')
  t.strictSame(await terminate(example, consul, services.consumer), { code: 0, listed: [] })
})

// Worker

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
