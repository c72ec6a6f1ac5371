import { Balancer, type BalancerParts } from '../balancing/balancer.ts'
import type { Ejection } from '../balancing/outlier.ts'
import type { StrategyChoice } from '../balancing/strategies.ts'
import { systemClock, type Clock, type Random } from '../clock.ts'
import type { ServiceInstance } from '../consul/instance.ts'
import { checkName } from '../discovery/check-query.ts'
import type { InstanceSource } from '../discovery/source.ts'
import type { Logger } from '../logger.ts'
import { Balance, parseBalance, type BalanceOptions } from './balance.ts'
import { ConsulDispatcher } from './dispatcher.ts'
import type { CallEvents } from './events.ts'
import { createFetch, type Fetch } from './fetch.ts'
import { Limits } from './limits.ts'
import { Lines } from './lines.ts'
import { LingeringLoad } from './lingering-load.ts'
import { OutlierReport } from './outlier-report.ts'
import { Pools, type PoolsOptions } from './pools.ts'
import { createRequest, type CallRequest } from './request.ts'
import { RetryBudget, type RetryBudgetOptions } from './retry-budget.ts'
import { scopeOf } from './route.ts'
import { Routes } from './routes.ts'

export interface CallsOptions {
  readonly source: InstanceSource
  readonly balancer: {
    readonly strategy: StrategyChoice
    /** 0 to 1: the share of an instance in `warning` whose two weights are equal. */
    readonly warningShare: number
  }
  readonly calls: PoolsOptions & {
    /** Limit of one attempt until the response headers. Milliseconds; 0: none. */
    readonly timeout: number
    /** Limit of a call. Milliseconds; 0 and `undefined`: none. */
    readonly deadline: number | undefined
    /** How often a request may be sent once more. */
    readonly retries: number
    /** How often all requests together may. */
    readonly retryBudget: RetryBudgetOptions
    /** When an instance that fails is left out for a while; `false`, the default: never. */
    readonly outlier?: BalancerParts['outlier']
    /** The only services that may be called. `undefined`: any. */
    readonly allow: readonly string[] | undefined
  }
  readonly events: CallEvents
  readonly logger: Logger
  readonly random: Random
  /** Default: the system's. */
  readonly clock?: Clock
}

/** Calls to services, balanced over their instances. */
export interface Calls {
  readonly fetch: Fetch
  readonly request: CallRequest
  readonly dispatcher: ConsulDispatcher
  /** The instance that the next call would go to; `null` without one. It counts as a call in the strategy's order. */
  pick (service: string, options?: PickOptions): Promise<ServiceInstance | null>
  /** How many wait for a connection to the service. */
  waitingFor (service: string): number
  /** Those of a list that calls leave out because they fail. */
  leftOutOf (instances: readonly ServiceInstance[]): ReadonlySet<ServiceInstance>
  /** Why an instance is ejected; `undefined`: it is not. */
  ejectionOf (instance: ServiceInstance): Ejection | undefined
  /** How things stand now. Looks at every instance: for now and then. */
  state (): CallsState
  /** New calls fail. Resolves when the running ones have ended. */
  close (): Promise<void>
  /** Calls that run fail too. */
  destroy (): Promise<void>
  /** The one, and the other after so many milliseconds. */
  end (within: number): Promise<void>
}

export interface CallsState {
  /** How many requests may be sent once more. */
  readonly retryBudget: number
  /** Sockets to instances, by service. */
  readonly connections: ReadonlyMap<string, number>
  /** Calls that wait for one, as all are in use, by service. */
  readonly waiting: ReadonlyMap<string, number>
  /** Instances that are left out because they fail, by service. */
  readonly ejected: ReadonlyMap<string, number>
}

export type PickOptions = Pick<BalanceOptions, 'strategy' | 'key' | 'tag' | 'datacenter'>

/** A pick that no attempt follows: it need not wait for a connection, and finds out nothing. */
const noCall = { sends: false, repeatable: false, isFull: () => false }

export function createCalls (options: CallsOptions): Calls {
  const { source, calls, events, logger, random, clock = systemClock } = options
  const { strategy, warningShare } = options.balancer
  const { timeout, deadline = 0, retries, retryBudget, outlier = false, allow } = calls
  const defaults = new Balance({
    strategy, timeout, deadline, retries, key: undefined, tag: undefined, datacenter: undefined, endsAt: undefined
  })
  const limits = new Limits(clock)
  const lines = new Lines(clock)
  const pools = new Pools(calls, limits, lines)
  const report = new OutlierReport({ events, logger, clock })
  const balancer = new Balancer({
    warningShare,
    outlier,
    random,
    onGone: (endpoint, mayReturn) => mayReturn ? pools.park(endpoint) : pools.drop(endpoint),
    onTurn: (endpoint, turn) => report.tell(endpoint, turn)
  })
  const routes = new Routes(balancer, allow)
  const budget = new RetryBudget(retryBudget, clock)
  const lingeringLoad = new LingeringLoad(clock)
  const dispatcher = new ConsulDispatcher({
    source, pools, limits, lines, lingeringLoad, events, budget, clock, random, routes, defaults
  })
  const stopListening = source.onLeave((left, mayReturn) => {
    balancer.remove(left, mayReturn)
    for (const service of new Set(left.map(({ name }) => name.toLowerCase()))) lines.look(service)
  })

  function close (): Promise<void> {
    stopListening()
    return dispatcher.close()
  }

  function destroy (): Promise<void> {
    stopListening()
    lines.close()
    return dispatcher.destroy().finally(() => limits.close())
  }

  return {
    dispatcher,
    close,
    destroy,
    fetch: createFetch({ routes, dispatcher, defaults, clock }),
    request: createRequest(routes, dispatcher, defaults),

    async pick (service, options = {}) {
      checkName(service)
      const balance = parseBalance(options, defaults)
      const { query, group } = scopeOf(balancer, service, balance.tag, balance.datacenter)
      const instances = source.peek(service, query) ?? await source.discover(service, query)
      const context = { service, key: balance.key, tried: [], now: clock.now(), ...noCall }
      return group.pick(instances, balance.strategy, context)?.instance ?? null
    },

    waitingFor: service => lines.lengthOf(service.toLowerCase()),
    leftOutOf: instances => balancer.leftOutOf(instances),
    ejectionOf: instance => balancer.ejectionOf(instance),

    state: () => ({
      retryBudget: budget.left,
      connections: pools.connections(),
      waiting: pools.waiting(),
      ejected: balancer.ejected()
    }),

    async end (within) {
      const patience = new AbortController()
      const ended = close().finally(() => patience.abort())
      await clock.sleep(within, patience.signal, true).catch(() => {})
      await destroy()
      await ended
    }
  }
}
