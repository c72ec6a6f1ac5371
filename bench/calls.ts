import axios from 'axios'
import Consul from 'consul'
import { createServiceRegistry, type ConsulOptions, type ServiceRegistry } from 'fastify-consul'
import { Registry } from 'prom-client'
import { Agent, BalancedPool, Pool, fetch, interceptors, request } from 'undici'
import { startConsul } from '../test/support/consul.ts'
import type { Teardown } from '../test/support/teardown.ts'
import { compare, type CompareOptions, type Figures, type Variant } from './support/compare.ts'
import { scoped } from './support/scope.ts'
import { startServers } from './support/servers.ts'

export interface CallFigures {
  readonly what: string
  readonly concurrency: number
  /** Whether it is for the page alone, and not for the README. */
  readonly isAside?: boolean
  readonly figures: readonly Figures[]
}

interface Group {
  readonly what: string
  readonly variants: readonly Variant[]
  readonly concurrency: number
  readonly isAside?: boolean
  readonly requests?: number
}

const servers = 8
/** Connections to one server: the same for everyone. */
const connections = 64
/** No two requests of a variant are for the same path: a cache of URLs is of no use to anyone. */
const pathOf = (count: number): string => `/items/${count}?page=${count % 7}`

/** Requests over the instances of one service: ours beside what one would write with undici alone. */
export async function benchCalls (options: Omit<CompareOptions, 'concurrency'>): Promise<CallFigures[]> {
  return await scoped(async scope => {
    const origins = await startServers(scope, servers)
    const groups: readonly Group[] = [
      { what: 'request over a dispatcher', variants: dispatcherVariants(scope, origins), concurrency: 50 },
      { what: 'request over a dispatcher', variants: dispatcherVariants(scope, origins), concurrency: 8 },
      { what: 'request of a URL', variants: urlVariants(scope, origins), concurrency: 50 },
      // Streams make so much garbage that only long samples have an equal share of its collections.
      { what: 'fetch', variants: fetchVariants(scope, origins), concurrency: 50, requests: 2.5 * options.requests },
      { what: 'fetch, beside what one would write by hand', variants: await byHand(scope, origins), concurrency: 50 },
      {
        what: 'request of a URL, with and without metrics',
        variants: metricsVariants(scope, origins),
        concurrency: 50,
        isAside: true,
        requests: 2.5 * options.requests
      }
    ]
    const results: CallFigures[] = []
    for (const { what, variants, concurrency, isAside = false, requests = options.requests } of groups) {
      const figures = await compare(variants, { ...options, concurrency, requests })
      results.push({ what, concurrency, ...(isAside && { isAside }), figures })
    }
    return results
  })
}

function dispatcherVariants (scope: Teardown, origins: readonly string[]): Variant[] {
  const balanced = new BalancedPool([...origins], { connections })
  const retrying = new Agent({ connections }).compose(interceptors.retry({ maxRetries: 2 }))
  scope.teardown(() => balanced.close())
  scope.teardown(() => retrying.close())
  return [
    { name: 'undici: raw pools, picked by hand', run: rawPools(scope, origins) },
    { name: 'the same once more', run: rawPools(scope, origins), isControl: true },
    { name: 'undici: BalancedPool', run: count => read(balanced.request({ path: pathOf(count), method: 'GET' })) },
    {
      name: 'undici: retry interceptor, origins picked by hand',
      run: count => read(retrying.request({ origin: inTurn(origins, count), path: pathOf(count), method: 'GET' }))
    },
    ...(['round-robin', 'least-request', 'peak-ewma'] as const).map(strategy => {
      const { dispatcher } = registryOf(scope, origins, { balancer: { strategy } })
      return {
        name: `fastify-consul: dispatcher.request, ${strategy}`,
        run: (count: number) => read(dispatcher.request({ origin: 'http://svc', path: pathOf(count), method: 'GET' }))
      }
    })
  ]
}

function urlVariants (scope: Teardown, origins: readonly string[]): Variant[] {
  const registry = registryOf(scope, origins)
  const plain = (): Variant['run'] => {
    const dispatcher = agentOf(scope)
    return count => read(request(`${inTurn(origins, count)}${pathOf(count)}`, { dispatcher }))
  }
  return [
    { name: 'undici: request(url) over an Agent', run: plain() },
    { name: 'the same once more', run: plain(), isControl: true },
    { name: 'fastify-consul: request(url)', run: count => read(registry.request(`http://svc${pathOf(count)}`)) }
  ]
}

/** What counting costs. Nobody collects meanwhile: that costs a millisecond or so each time. */
function metricsVariants (scope: Teardown, origins: readonly string[]): Variant[] {
  const with_ = (options: ConsulOptions): Variant['run'] => {
    const { request } = registryOf(scope, origins, options)
    return count => read(request(`http://svc${pathOf(count)}`))
  }
  return [
    { name: 'without metrics', run: with_({}) },
    { name: 'the same once more', run: with_({}), isControl: true },
    { name: 'with metrics', run: with_({ metrics: { register: new Registry() } }) }
  ]
}

function fetchVariants (scope: Teardown, origins: readonly string[]): Variant[] {
  const registry = registryOf(scope, origins)
  const plain = (): Variant['run'] => {
    const dispatcher = agentOf(scope)
    return async count => (await fetch(`${inTurn(origins, count)}${pathOf(count)}`, { dispatcher })).text()
  }
  return [
    { name: 'undici: fetch over an Agent', run: plain() },
    { name: 'the same once more', run: plain(), isControl: true },
    { name: 'fastify-consul: fetch', run: async count => (await registry.fetch(`http://svc${pathOf(count)}`)).text() }
  ]
}

async function byHand (scope: Teardown, origins: readonly string[]): Promise<Variant[]> {
  const ours = (): Variant['run'] => {
    const registry = registryOf(scope, origins)
    return async count => (await registry.fetch(`http://svc${pathOf(count)}`)).text()
  }
  const ask = await askingConsul(scope, origins)
  const cached = kept(ask, 30_000)
  return [
    { name: 'fastify-consul: fetch', run: ours() },
    { name: 'the same once more', run: ours(), isControl: true },
    {
      name: 'fixed addresses, and Node: fetch',
      run: async count => (await globalThis.fetch(`${inTurn(origins, count)}${pathOf(count)}`)).text()
    },
    {
      name: 'consul (npm) asked on every call, and Node: fetch',
      run: async count => (await globalThis.fetch(`${inTurn(await ask(), count)}${pathOf(count)}`)).text(),
      requests: 1000
    },
    {
      name: 'consul (npm) with a cache of 30 s, and Node: fetch',
      run: async count => (await globalThis.fetch(`${inTurn(await cached(), count)}${pathOf(count)}`)).text()
    },
    {
      name: 'consul (npm) with a cache of 30 s, and axios',
      run: async count => (await axios.get(`${inTurn(await cached(), count)}${pathOf(count)}`)).data
    }
  ]
}

/** The healthy instances, as the npm package `consul` gives them. */
async function askingConsul (scope: Teardown, origins: readonly string[]): Promise<() => Promise<string[]>> {
  const { api, host, port } = await startConsul(scope)
  for (const origin of origins) {
    const Port = Number(new URL(origin).port)
    await api('PUT', '/v1/agent/service/register', { Name: 'svc', ID: `svc-${Port}`, Address: '127.0.0.1', Port })
  }
  const consul = new Consul({ host, port })
  const healthy = (): Promise<ConsulEntry[]> => consul.health.service({ service: 'svc', passing: true })
  return async () => {
    // It may find the connection of the call before closed: then its user would ask once more.
    const entries = await healthy().catch(healthy).catch(healthy)
    return entries.map(({ Service }) => `http://${Service.Address}:${Service.Port}`)
  }
}

interface ConsulEntry {
  readonly Service: { readonly Address: string, readonly Port: number }
}

function kept<T> (ask: () => Promise<T>, ms: number): () => Promise<T> {
  let until = -Infinity
  let answer: Promise<T> | undefined
  return () => {
    if (answer === undefined || performance.now() > until) {
      until = performance.now() + ms
      answer = ask()
    }
    return answer
  }
}

function rawPools (scope: Teardown, origins: readonly string[]): Variant['run'] {
  const pools = origins.map(origin => new Pool(origin, { connections }))
  for (const pool of pools) scope.teardown(() => pool.close())
  return count => read(inTurn(pools, count).request({ path: pathOf(count), method: 'GET' }))
}

function agentOf (scope: Teardown): Agent {
  const agent = new Agent({ connections })
  scope.teardown(() => agent.close())
  return agent
}

/** With everything on. Where nothing but the balanced calls is used, Consul need not be there. */
function registryOf (scope: Teardown, origins: readonly string[], options: ConsulOptions = {}): ServiceRegistry {
  const registry = createServiceRegistry('bench', 0, {
    mode: 'static',
    fallback: { svc: [...origins] },
    calls: { connections, deadline: '10s' },
    ...options
  })
  scope.teardown(() => registry.close())
  return registry
}

async function read (response: Promise<{ body: { text (): Promise<string> } }>): Promise<string> {
  return (await response).body.text()
}

function inTurn<T> (list: readonly T[], count: number): T {
  return list[count % list.length] as T
}
