import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises'
import Consul from 'consul'
import { createServiceRegistry, type ServiceRegistry } from 'fastify-consul'
import { pino } from 'pino'
import { Client } from 'undici'
import { startConsul, type ConsulAgent } from '../test/support/consul.ts'
import type { Teardown } from '../test/support/teardown.ts'
import { scoped } from './support/scope.ts'
import { quantile } from './support/statistics.ts'

export interface Quantiles {
  readonly what: string
  readonly unit: 'µs' | 'ms'
  readonly median: number
  readonly p99: number
}

const instances = 3
/** Milliseconds between two changes: of those in a row without end only five a second are looked at, on purpose. */
const apart = 300
const logger = pino({ level: 'silent' })

/** How long it takes to know where a service is, and to learn that this has changed. */
export async function benchDiscovery (rounds: number): Promise<Quantiles[]> {
  return await scoped(async scope => {
    // An agent goes on counting the connection of a blocking query whose caller has gone.
    const agent = await startConsul(scope, { config: { limits: { http_max_conns_per_client: 1000 } } })
    for (let index = 0; index < instances; index++) await register(agent, index)
    return [
      await scoped(scope => warm(scope, agent)),
      ...await cold(agent, rounds),
      ...await scoped(scope => propagation(scope, agent, 'a change in Consul', rounds, apart)),
      ...await scoped(scope => propagation(scope, agent, 'one of 30 changes without a pause', 30, 0))
    ]
  })
}

async function warm (scope: Teardown, { url }: ConsulAgent): Promise<Quantiles> {
  const registry = registryOf(scope, url)
  await registry.discover('svc')
  const took: number[] = []
  for (let call = 0; call < 200_000; call++) took.push(await timeOf(() => registry.discover('svc')) * 1000)
  return { what: 'discover(), from memory', unit: 'µs', ...quantilesOf(took.slice(took.length / 2)) }
}

/** The first question of a new process, which waits for Consul's answer. */
async function cold ({ url, host, port }: ConsulAgent, rounds: number): Promise<Quantiles[]> {
  const ours: number[] = []
  const theirs: number[] = []
  for (let round = 0; round < rounds; round++) {
    const registry = createServiceRegistry('bench', 0, { url, logger })
    ours.push(await timeOf(() => registry.discover('svc')))
    await registry.close()
    const consul = new Consul({ host, port })
    theirs.push(await timeOf(() => consul.health.service({ service: 'svc', passing: true })))
  }
  return [
    { what: 'discover(), the first one', unit: 'ms', ...quantilesOf(ours) },
    { what: 'consul (npm): health.service(), on every call', unit: 'ms', ...quantilesOf(theirs) }
  ]
}

/** From sending a check's new status to seeing it, beside a blocking query that does nothing else. */
async function propagation (
  scope: Teardown, agent: ConsulAgent, what: string, rounds: number, pause: number
): Promise<Quantiles[]> {
  const registry = registryOf(scope, agent.url)
  const bare = new BareQuery(scope, agent.url)
  await registry.discover('svc')
  await bare.answered()
  const ours: number[] = []
  const theirs: number[] = []
  for (let round = 0; round < rounds; round++) {
    await delay(pause)
    const known = await registry.discover('svc')
    const answers = bare.answers
    const before = performance.now()
    const seen = [
      (async () => {
        while (await registry.discover('svc') === known) await turn()
        ours.push(performance.now() - before)
      })(),
      (async () => {
        while (bare.answers === answers) await turn()
        theirs.push(bare.answeredAt - before)
      })()
    ]
    await agent.api('PUT', '/v1/agent/check/update/service:svc-0', { Status: round % 2 === 0 ? 'warning' : 'passing' })
    await Promise.all(seen)
  }
  const later = ours.map((ms, round) => ms - (theirs[round] as number))
  return [
    { what: `${what}, until it is in discover()`, unit: 'ms', ...quantilesOf(ours) },
    { what: `${what}, until a bare blocking query has it`, unit: 'ms', ...quantilesOf(theirs) },
    { what: `${what}, the difference`, unit: 'ms', ...quantilesOf(later) }
  ]
}

/** Asks for one service again and again, each time with the index of the answer before. */
class BareQuery {
  answers = 0
  answeredAt = 0
  readonly #client: Client
  #index = '0'

  constructor (scope: Teardown, url: string) {
    this.#client = new Client(url)
    scope.teardown(() => this.#client.destroy())
    this.#ask().catch(() => {})
  }

  async answered (): Promise<void> {
    while (this.answers === 0) await turn()
  }

  async #ask (): Promise<void> {
    for (;;) {
      const path = `/v1/health/service/svc?stale&index=${this.#index}&wait=60s`
      const { headers, body } = await this.#client.request({ path, method: 'GET' })
      await body.json()
      this.#index = String(headers['x-consul-index'])
      this.answeredAt = performance.now()
      this.answers++
    }
  }
}

async function register ({ api }: ConsulAgent, index: number): Promise<void> {
  await api('PUT', '/v1/agent/service/register', {
    Name: 'svc',
    ID: `svc-${index}`,
    Port: 1 + index,
    Address: '127.0.0.1',
    Check: { TTL: '1h', Status: 'passing' }
  })
}

function registryOf (scope: Teardown, url: string): ServiceRegistry {
  const registry = createServiceRegistry('bench', 0, { url, logger })
  scope.teardown(() => registry.close())
  return registry
}

async function timeOf (run: () => Promise<unknown>): Promise<number> {
  const before = performance.now()
  await run()
  return performance.now() - before
}

function quantilesOf (numbers: readonly number[]): { median: number, p99: number } {
  return { median: quantile(numbers, 0.5), p99: quantile(numbers, 0.99) }
}
