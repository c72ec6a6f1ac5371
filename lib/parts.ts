import { lookup } from 'node:dns/promises'
import { Background } from './background.ts'
import { createCalls, type Calls } from './calls/calls.ts'
import type { Clock, Random } from './clock.ts'
import { ConsulClient } from './consul/client.ts'
import { Connectivity } from './consul/connectivity.ts'
import { TokenChanges } from './consul/token-changes.ts'
import { Token } from './consul/token.ts'
import { Catalog } from './discovery/catalog.ts'
import { ComparedSource } from './discovery/compared.ts'
import { Comparison } from './discovery/comparison.ts'
import { HybridSource } from './discovery/hybrid.ts'
import type { InstanceSource } from './discovery/source.ts'
import { StaticSource } from './discovery/static.ts'
import { consulStatusOf } from './health/consul-status.ts'
import { HealthCheckManager, type RunListener } from './health/manager.ts'
import { Membership } from './lifecycle/membership.ts'
import { tellMissingRights } from './lifecycle/rights.ts'
import type { Logger } from './logger.ts'
import { channels } from './observe/channels.ts'
import { Metrics } from './observe/metrics.ts'
import type { ResolvedOptions } from './options/resolved.ts'

/** What a registry is made of. Nothing of it does anything yet. */
export interface Parts {
  readonly client: ConsulClient
  readonly connectivity: Connectivity
  readonly tokenChanges: TokenChanges
  /** Says in the background, once, what the token may not do. */
  readonly lookAtRights: () => void
  readonly membership: Membership
  readonly health: HealthCheckManager
  readonly catalog: Catalog
  readonly fallback: StaticSource
  /** Of the fallback with the catalog, in mode `register`. */
  readonly comparison: Comparison
  /** Where the mode takes instances from: the catalog, the fallback, or one after the other. */
  readonly source: InstanceSource
  readonly calls: Calls
  /** `undefined`: none are wanted. */
  readonly metrics: Metrics | undefined
  /** The service is watched from now on. */
  preload (name: string): void
}

interface Surroundings {
  /** Aborts when the service begins to leave. */
  readonly leaving: AbortSignal
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
}

/** Limit of one question whether the agent is back. Milliseconds. */
const probeTimeout = 1000
/** Besides those for discovery: the watches on the own service, at the agent and in the catalog. */
const ownWatches = 2

export function createParts (options: ResolvedOptions, surroundings: Surroundings): Parts {
  const { leaving, logger, clock, random } = surroundings
  const { discovery, balancer, calls } = options
  const blocking = { limit: discovery.maxWatches + ownWatches, keepAlive: false }
  const metrics = metricsOf(options, clock)
  const token = new Token(options.token)
  const client = new ConsulClient({}, { resolved: options, blocking, token, random, meter: metrics?.request })
  const connectivity = new Connectivity({
    probe: signal => client.ping({ signal, timeout: probeTimeout }), logger, clock, random
  })
  const { timeout } = options
  const onWaited = metrics?.waited
  const catalog = new Catalog({ ...discovery, timeout }, { client, connectivity, logger, clock, random, onWaited })
  const fallback = new StaticSource(options.fallback)
  const comparison = new Comparison({
    catalog, fallback, lookup: addressesOf, logger, clock, onNews: metrics?.compared
  })
  const source = sourceOf(options.mode, { catalog, fallback, comparison })
  const tokenChanges = new TokenChanges(token, clock)
  const health = healthOf(options.health, clock, logger, metrics?.checked)
  const background = new Background()
  let looked: Promise<void> | undefined
  const parts: Parts = {
    client,
    connectivity,
    tokenChanges,
    lookAtRights: () => {
      looked ??= background.run(() => tellMissingRights({ options, client, connectivity, logger }, leaving))
        .catch(() => {})
    },
    membership: new Membership({
      options,
      signal: leaving,
      client,
      connectivity,
      readiness: () => consulStatusOf(health),
      follow: (name, listener) => catalog.follow(name, listener),
      onWritten: metrics?.registered,
      onTokenChange: listener => tokenChanges.subscribe(listener),
      logger,
      clock,
      random
    }),
    health,
    catalog,
    fallback,
    comparison,
    source,
    preload (name) {
      catalog.preload(name)
      source.peek(name) // Where it is only compared, that begins now.
    },
    calls: createCalls({ source, balancer, calls, events: metrics?.events ?? channels, logger, random, clock }),
    metrics
  }
  metrics?.show(parts)
  return parts
}

/** @param left milliseconds for the calls that run */
export async function closeParts (
  { client, connectivity, tokenChanges, membership, health, catalog, calls, metrics }: Parts, left: number
): Promise<void> {
  membership.close()
  catalog.close()
  connectivity.close()
  tokenChanges.close()
  health.close()
  await client.close()
  await calls.end(left)
  metrics?.close()
}

function sourceOf (
  mode: ResolvedOptions['mode'],
  { catalog, fallback, comparison }: Pick<Parts, 'catalog' | 'fallback' | 'comparison'>
): InstanceSource {
  switch (mode) {
    case 'static': return fallback
    case 'register': return new ComparedSource(fallback, comparison)
    case 'hybrid': return new HybridSource(catalog, fallback)
    case 'full': return catalog
  }
}

function metricsOf ({ metrics, service }: ResolvedOptions, clock: Clock): Metrics | undefined {
  if (metrics === false) return undefined
  return new Metrics({ ...metrics, service: service ? service.name : undefined, clock })
}

async function addressesOf (host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address)
}

function healthOf (
  options: ResolvedOptions['health'], clock: Clock, logger: Logger, onRun: RunListener | undefined
): HealthCheckManager {
  if (options === false) return new HealthCheckManager({ clock, logger }, onRun)
  const { timeout, cacheFor, checks } = options
  const manager = new HealthCheckManager({ timeout, cacheFor, clock, logger }, onRun)
  for (const check of checks) manager.add(check)
  return manager
}
