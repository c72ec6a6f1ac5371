import t from 'tap'
import { startConsul } from '../support/consul.ts'
import { until } from '../support/wait.ts'
import { boot, terminate } from './boot.ts'

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
