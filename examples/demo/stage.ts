import { startConsul, type ConsulAgent } from '../../test/support/consul.ts'
import type { Teardown } from '../../test/support/teardown.ts'
import { until } from '../../test/support/wait.ts'
import { startCache, type Cache } from './cache.ts'
import { Load } from './load.ts'
import { Report } from './report.ts'
import { number, type Screen } from './screen.ts'
import { startService, type Service } from './service.ts'
import { Watcher } from './watcher.ts'

/** An instance of l02-runtime: its process, or the last one that it had. */
export interface Instance {
  id: string
  cache: Cache
  service: Service
}

/** Everyone who plays a part. */
export interface Stage {
  t: Teardown
  screen: Screen
  consul: ConsulAgent
  instances: Map<string, Instance>
  consumer: Service
  watcher: Watcher
  load: Load
  report: Report
}

const providerIds = ['l02-runtime-1', 'l02-runtime-2', 'l02-runtime-3'] as const
const consumerId = 'l01-data-layer-1'

/** Starts Consul, three instances of l02-runtime and one of l01-data-layer. */
export async function setStage (t: Teardown, screen: Screen): Promise<Stage> {
  const consul = await startAgent(t, screen)
  const watcher = new Watcher(t, consul.api, 'l02-runtime')
  const consumers = new Watcher(t, consul.api, 'l01-data-layer')

  screen.say('Routable: milliseconds from listening to passing in Consul')
  const routable = async (id: string, service: Service, seenBy: Watcher): Promise<void> => {
    const passing = await seenBy.seen(id, 'passing')
    screen.say(`  ${id.padEnd(consumerId.length)}${number(passing - service.listeningAt, 6)}`)
  }
  // One after the other: four processes that start at once would be a measure of the machine.
  const instances: Instance[] = []
  for (const id of providerIds) {
    screen.progress(`starting ${id}`)
    const instance = await startInstance(t, consul, id)
    await routable(id, instance.service, watcher)
    instances.push(instance)
  }
  screen.progress(`starting ${consumerId}`)
  const consumer = await startConsumer(t, consul)
  await routable(consumerId, consumer, consumers)

  const load = new Load(t, consumer.url, providerIds, ({ requests, failed }) => {
    screen.progress(`${number(requests)} requests, ${number(failed)} failed`)
  })
  await until(async () => await load.instances() === instances.length,
    { timeout: 15_000, what: 'l01-data-layer to know every instance of l02-runtime' })
  return {
    t,
    screen,
    consul,
    instances: new Map(instances.map(instance => [instance.id, instance])),
    consumer,
    watcher,
    load,
    report: new Report()
  }
}

/** A process for an instance: a new one, or another one after the first has ended. */
export async function startProvider (
  t: Teardown, { url }: ConsulAgent, id: string, cache: Cache, port = 0
): Promise<Service> {
  return await startService(t, '../provider.ts', {
    env: {
      SERVICE_NAME: 'l02-runtime',
      SERVICE_ID: id,
      PORT: String(port),
      CACHE_URL: cache.url,
      CONSUL_URL: url,
      CONSUL_CHECK_INTERVAL: '1s'
    }
  })
}

async function startInstance (t: Teardown, consul: ConsulAgent, id: string): Promise<Instance> {
  const cache = await startCache(t)
  return { id, cache, service: await startProvider(t, consul, id, cache) }
}

async function startConsumer (t: Teardown, { url }: ConsulAgent): Promise<Service> {
  const env = { SERVICE_NAME: 'l01-data-layer', SERVICE_ID: consumerId, PORT: '0', CONSUL_URL: url }
  return await startService(t, '../consumer.ts', { env, preload: ['attempts.ts'] })
}

async function startAgent (t: Teardown, screen: Screen): Promise<ConsulAgent> {
  screen.progress('looking for a Consul: on the PATH, as a container image, as a Debian package')
  const consul = await startConsul(t)
  const { json } = await consul.api<{ Config: { Version: string } }>('GET', '/v1/agent/self')
  screen.say(`Consul ${json.Config.Version} at ${consul.url}`)
  screen.say()
  return consul
}
