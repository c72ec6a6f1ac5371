import { instance, seeded } from '../balancing/helpers.ts'
import { outlier, SimulatedClient, type ClientOptions, type Fleet, type Results } from './client.ts'
import { SimulatedServer, type Behaviour, type Capacity } from './server.ts'
import { Simulation } from './simulation.ts'

export interface Scenario extends Capacity {
  /** What each server does; made anew for every run, with random numbers of its own. */
  readonly servers: (random: () => number) => readonly Behaviour[]
  /** Requests a second, all clients together, at random moments, whatever became of the others. Default none. */
  readonly rate?: number
  /** So many callers, spread over the clients, who send one request as soon as the one before has ended. Default 0. */
  readonly callers?: number
  /** Milliseconds. */
  readonly duration: number
  /** Default 1. */
  readonly clients?: number
  /** Default 30 s, in milliseconds. */
  readonly timeout?: number
  /** Only so many servers are in the list before that time. Default: all are from the start. */
  readonly listed?: { readonly at: number, readonly servers: number }
}

export interface Figures {
  readonly requests: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
  /** Percent of the requests that were answered in time. */
  within: (ms: number) => number
  /** Percent of the requests. */
  readonly errors: number
  /** Attempts of which anything was sent, for each request. */
  readonly attempts: number
  /** Percent of the attempts of a time that one server got. */
  shareOf: (server: number, from: number, to: number) => number
  /** The largest percentage of the attempts of 100 ms that the first so many servers got, from a time on. */
  mostOf: (servers: number, from: number) => number
}

/** The figures of one run. With the same seed they are the same on every machine of one architecture. */
export function simulate (
  scenario: Scenario, options: Partial<ClientOptions> & Pick<ClientOptions, 'strategy'>, seed = 1
): Figures {
  const { rate, callers = 0, duration, clients: count = 1, timeout = 30_000, listed } = scenario
  const simulation = new Simulation()
  const [arrivals, services, choices] = [seeded(seed), seeded(seed + 1), seeded(seed + 2)]
  const servers = scenario.servers(services).map(behaviour => new SimulatedServer(simulation, behaviour, scenario))
  const all = Object.freeze(servers.map((_, index) => instance({ id: `s${index}`, port: 8000 + index })))
  const fleet: Fleet = {
    instances: listed === undefined ? all : Object.freeze(all.slice(0, listed.servers)),
    servers: new Map(servers.map((server, index) => [`s${index}`, server]))
  }
  if (listed !== undefined) simulation.plan(listed.at, () => { fleet.instances = all })
  const results: Results = { latencies: [], errors: 0, sent: 0 }
  const clients = Array.from({ length: count }, () =>
    new SimulatedClient(simulation, choices, { outlier, retries: 2, timeout, ...options }, fleet, results))
  const arrive = (rate: number): void => {
    clients[Math.floor(arrivals() * count)]?.request()
    if (simulation.now() < duration) simulation.plan(exponential(arrivals, 1000 / rate), () => arrive(rate))
  }
  const callAgain = (client: SimulatedClient): void => {
    if (simulation.now() < duration) client.request(() => callAgain(client))
  }
  if (rate !== undefined) arrive(rate)
  for (let caller = 0; caller < callers; caller++) callAgain(clients[caller % count] as SimulatedClient)
  simulation.run()
  return figuresOf(results, servers, duration)
}

/** Times as between independent events. */
export function exponential (random: () => number, mean: number): number {
  return -Math.log(1 - random()) * mean
}

function figuresOf (
  { latencies, errors, sent }: Results, servers: readonly SimulatedServer[], duration: number
): Figures {
  const sorted = Float64Array.from(latencies).sort()
  const quantile = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] as number
  const countIn = ({ requests }: SimulatedServer, from: number, to: number): number =>
    requests.filter(at => at >= from && at < to).length
  return {
    requests: sorted.length,
    p50: quantile(0.5),
    p99: quantile(0.99),
    p999: quantile(0.999),
    within: ms => 100 * sorted.filter(latency => latency <= ms).length / sorted.length,
    errors: 100 * errors / sorted.length,
    attempts: sent / sorted.length,
    shareOf: (server, from, to) => {
      const counts = servers.map(each => countIn(each, from, to))
      return 100 * (counts[server] as number) / counts.reduce((sum, count) => sum + count, 0)
    },
    mostOf: (some, from) => {
      const [counts, all] = [new Float64Array(duration / 100), new Float64Array(duration / 100)]
      for (const [server, { requests }] of servers.entries()) {
        for (const at of requests) {
          all[Math.floor(at / 100)]!++
          if (server < some) counts[Math.floor(at / 100)]!++
        }
      }
      const first = from / 100
      return counts.subarray(first).reduce((most, count, step) => Math.max(most, 100 * count / all[first + step]!), 0)
    }
  }
}
