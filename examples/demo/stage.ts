import type { Teardown } from '../../test/support/teardown.ts'
import { until } from '../../test/support/wait.ts'
import { startAgent, type Agent } from '../shared/agent.ts'
import { Watcher } from '../shared/watcher.ts'
import { startCache, type Cache } from './cache.ts'
import { Load } from './load.ts'
import { Report } from './report.ts'
import { number, type Screen } from './screen.ts'
import { startService, type Service } from './service.ts'

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
  agent: Agent
  instances: Map<string, Instance>
  consumer: Service
  watcher: Watcher
  load: Load
  report: Report
}

const providerIds = ['l02-runtime-1', 'l02-runtime-2', 'l02-runtime-3'] as const
const consumerId = 'l01-data-layer-1'

/** Starts the agent, three instances of l02-runtime and one of l01-data-layer. */
export async function setStage (t: Teardown, screen: Screen): Promise<Stage> {
  screen.progress('looking for a Consul: on the PATH, as a container image, as a Debian package')
  const agent = await startAgent(t)
  screen.say(agent.description)
  screen.say()
  const watcher = new Watcher(t, agent.api, 'l02-runtime')
  const consumers = new Watcher(t, agent.api, 'l01-data-layer')

  screen.say('Routable: milliseconds from listening to passing in the catalog')
  const routable = async (id: string, service: Service, seenBy: Watcher): Promise<void> => {
    const passing = await seenBy.seen(id, 'passing')
    screen.say(`  ${id.padEnd(consumerId.length)}${number(passing - service.listeningAt, 6)}`)
  }
  // One after the other: four processes that start at once would be a measure of the machine.
  const instances: Instance[] = []
  for (const id of providerIds) {
    screen.progress(`starting ${id}`)
    const instance = await startInstance(t, agent, id)
    await routable(id, instance.service, watcher)
    instances.push(instance)
  }
  screen.progress(`starting ${consumerId}`)
  const consumer = await startConsumer(t, agent)
  await routable(consumerId, consumer, consumers)

  const load = new Load(t, consumer.url, providerIds, ({ requests, failed }) => {
    screen.progress(`${number(requests)} requests, ${number(failed)} failed`)
  })
  await until(async () => await load.instances() === instances.length,
    { timeout: 15_000, what: 'l01-data-layer to know every instance of l02-runtime' })
  return {
    t,
    screen,
    agent,
    instances: new Map(instances.map(instance => [instance.id, instance])),
    consumer,
    watcher,
    load,
    report: new Report()
  }
}

/** A process for an instance: a new one, or another one after the first has ended. */
export async function startProvider (
  t: Teardown, { env }: Agent, id: string, cache: Cache, port = 0
): Promise<Service> {
  return await startService(t, '../provider.ts', {
    env: {
      ...env,
      SERVICE_NAME: 'l02-runtime',
      SERVICE_ID: id,
      PORT: String(port),
      CACHE_URL: cache.url,
      CONSUL_CHECK_INTERVAL: '1s'
    }
  })
}

async function startInstance (t: Teardown, agent: Agent, id: string): Promise<Instance> {
  const cache = await startCache(t)
  return { id, cache, service: await startProvider(t, agent, id, cache) }
}

async function startConsumer (t: Teardown, agent: Agent): Promise<Service> {
  const env = { ...agent.env, SERVICE_NAME: 'l01-data-layer', SERVICE_ID: consumerId, PORT: '0' }
  return await startService(t, '../consumer.ts', { env, preload: ['attempts.ts'] })
}
