import { startDevAgent } from 'fastify-consul/dev'
import { consulApi, type ConsulApi } from '../../test/support/consul-api.ts'
import { startConsul } from '../../test/support/consul.ts'
import { findConsul } from '../../test/support/find-consul.ts'
import type { Teardown } from '../../test/support/teardown.ts'
import { until } from '../../test/support/wait.ts'
import { startCache, type Cache } from './cache.ts'
import { Load } from './load.ts'
import { Report } from './report.ts'
import { number, type Screen } from './screen.ts'
import { startService, type Service } from './service.ts'
import { Watcher } from './watcher.ts'

/** With whom everyone registers: a Consul, or what stands in for it. */
export interface Agent {
  url: string
  api: ConsulApi
}

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
  const agent = await startAgent(t, screen)
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
  t: Teardown, { url }: Agent, id: string, cache: Cache, port = 0
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

async function startInstance (t: Teardown, agent: Agent, id: string): Promise<Instance> {
  const cache = await startCache(t)
  return { id, cache, service: await startProvider(t, agent, id, cache) }
}

async function startConsumer (t: Teardown, { url }: Agent): Promise<Service> {
  const env = { SERVICE_NAME: 'l01-data-layer', SERVICE_ID: consumerId, PORT: '0', CONSUL_URL: url }
  return await startService(t, '../consumer.ts', { env, preload: ['attempts.ts'] })
}

/** A Consul if there is one, or can be fetched; else the development agent. Says which. */
async function startAgent (t: Teardown, screen: Screen): Promise<Agent> {
  screen.progress('looking for a Consul: on the PATH, as a container image, as a Debian package')
  const isThere = await findConsul().then(() => true, () => false)
  const agent = isThere ? await startRealOne(t, screen) : await startSubstitute(t, screen)
  screen.say()
  return agent
}

async function startRealOne (t: Teardown, screen: Screen): Promise<Agent> {
  const consul = await startConsul(t)
  const { json } = await consul.api<{ Config: { Version: string } }>('GET', '/v1/agent/self')
  screen.say(`Consul ${json.Config.Version} at ${consul.url}`)
  return consul
}

async function startSubstitute (t: Teardown, screen: Screen): Promise<Agent> {
  const { url, close } = await startDevAgent({ port: 0 })
  t.teardown(close)
  screen.say(`No Consul found: the development agent of fastify-consul stands in, at ${url}`)
  screen.say('With the consul binary on the PATH, or a container runtime on Linux, this runs on a real one')
  return { url, api: consulApi(url) }
}
