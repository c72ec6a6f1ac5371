import type { Clock, Random } from '../clock.ts'
import type { ConsulClient } from '../consul/client.ts'
import { isConnectionError, isRefusal, type Connectivity } from '../consul/connectivity.ts'
import type { HealthQuery } from '../consul/query.ts'
import { patienceOf } from '../consul/wait.ts'
import { watch } from '../consul/watch.ts'
import type { Answer, WireHealthEntry } from '../consul/wire.ts'
import type { CatalogLog } from './catalog-log.ts'
import { stepIndex } from './index-rule.ts'
import type { ServiceView } from './view.ts'

export type ServiceAnswer = Answer<WireHealthEntry[]>

interface Parts {
  readonly client: Pick<ConsulClient, 'health'>
  readonly connectivity: Connectivity
  readonly clock: Clock
  readonly random: Random
  readonly log: CatalogLog
  readonly accept: (view: ServiceView, answer: ServiceAnswer) => void
  /** Ends every question. */
  readonly closed: AbortSignal
}

export interface QuestionOptions {
  /** Of one question, on top of the wait of one that blocks. Milliseconds. */
  readonly timeout: number
  /** How long Consul waits for a change. Milliseconds. */
  readonly wait: number
  readonly consistency: 'stale' | 'default' | 'consistent'
}

/** How Consul is asked for a view: once, or again and again. What it does not answer stands in the view. */
export class Questions {
  readonly #options: QuestionOptions
  readonly #parts: Parts

  constructor (options: QuestionOptions, parts: Parts) {
    this.#options = options
    this.#parts = parts
  }

  /** It never rejects. What a watch of the same service has learned in the meantime is newer, and stays. */
  async once (view: ServiceView, timeout = this.#patience): Promise<ServiceAnswer | undefined> {
    const { accept, closed } = this.#parts
    const before = view.snapshot
    try {
      const answer = await this.#query(view, { timeout, signal: closed })
      if (view.snapshot === before) accept(view, answer)
      return answer
    } catch (error) {
      if (view.snapshot === before && !closed.aborted) this.#fail(view, error)
      return undefined
    }
  }

  /** Until the signal aborts. With an index it goes on from there. */
  watch (view: ServiceView, signal: AbortSignal, from: string | undefined): void {
    const { accept, connectivity, clock, random } = this.#parts
    const timeout = this.#patience
    view.watch(from !== undefined)
    watch({
      query: (index, signal) => this.#query(view, { index, timeout, signal }),
      advance: (index, answer) => stepIndex(index, answer.index),
      onAnswer: answer => accept(view, answer),
      onError: (error, failures) => this.#fail(view, error, failures),
      connectivity,
      clock,
      random
    }, signal, from)
  }

  get #patience (): number {
    return patienceOf(this.#options.timeout, this.#options.consistency)
  }

  #query (
    { key: { name, ...key } }: ServiceView,
    query: HealthQuery
  ): Promise<ServiceAnswer> {
    const { wait, consistency } = this.#options
    return this.#parts.client.health(name, { wait, consistency, ...key, ...query })
  }

  #fail (view: ServiceView, error: unknown, failures = 1): void {
    const { connectivity, clock, log } = this.#parts
    if (isConnectionError(error)) {
      if (failures > 2 && connectivity.up) log.brokenOff(error)
    } else if (view.upkeep === 'watched' || view.upkeep === 'polled') {
      // After an outage there may be no leader for a while, which is no news.
      if (isRefusal(error) || view.error === undefined) log.refused(view, error)
    }
    connectivity.report(error)
    view.fail(error, clock.now())
  }
}
