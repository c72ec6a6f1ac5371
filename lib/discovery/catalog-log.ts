import { Flapping } from '../flapping.ts'
import type { Logger } from '../logger.ts'
import { nothingKnown, type ServiceSnapshot } from './instances.ts'
import type { ServiceView } from './view.ts'

/** What the log says of services: one line for each change of their state. */
export class CatalogLog {
  readonly #logger: Logger
  readonly #refused = new Set<ServiceView>()
  readonly #flapping = new Flapping()
  #limitTold = false
  #brokenOffTold = false

  constructor (logger: Logger) {
    this.#logger = logger
  }

  /** Consul lists the service. */
  listed (view: ServiceView, before: ServiceSnapshot, after: ServiceSnapshot): void {
    if (view.partial) this.#partial(view)
    else if (this.#refused.delete(view) && this.#refused.size === 0) {
      this.#logger.info('Consul lists its services again')
    }
    if (!view.wanted) return
    const { key: { name: service } } = view
    const [was, is] = [before.healthy.length, after.healthy.length]
    if ((was > 0) === (is > 0)) return
    const verdict = before === nothingKnown ? 'news' : this.#flapping.judge(view, view.answeredAt)
    if (verdict === 'flapping') this.#logger.warn({ service }, 'Its last healthy instance comes and goes all the time')
    if (verdict !== 'news') return
    if (is === 0) this.#logger.warn({ service, known: after.known.length }, 'No healthy instance is left')
    else this.#logger.info({ service, instances: is }, 'Healthy instances were found')
  }

  /** That those who were kept are gone indeed is no sign of rights regained; that they are there is one. */
  confirmed (view: ServiceView, before: ServiceSnapshot, after: ServiceSnapshot): void {
    if (!view.partial && after.known.length < before.known.length) this.#refused.delete(view)
    this.listed(view, before, after)
  }

  /** Consul answers but does not list the service. One line, however many services there are. */
  refused (view: ServiceView, err: unknown): void {
    if (this.#refused.size === 0) {
      this.#logger.warn({ service: view.key.name, err }, 'Consul does not list a service; what is known of it is kept')
    }
    this.#refused.add(view)
  }

  #partial (view: ServiceView): void {
    if (this.#refused.size === 0) {
      this.#logger.warn({ service: view.key.name },
        'The token seems to see only a part of a service; what is missing of it is kept')
    }
    this.#refused.add(view)
  }

  /** Consul is not asked for it any longer. */
  resting (view: ServiceView): void {
    this.#refused.delete(view)
  }

  limitReached (maxWatches: number): void {
    if (this.#limitTold) return
    this.#limitTold = true
    this.#logger.warn({ maxWatches },
      'discovery.maxWatches is reached: the services that are called most are watched, the others are polled')
  }

  /** The agent answers, but queries that wait are broken off again and again. One line for all time. */
  brokenOff (err: unknown): void {
    if (this.#brokenOffTold) return
    this.#brokenOffTold = true
    this.#logger.warn({ err }, 'The agent answers but breaks off watches, perhaps at its limit of connections ' +
      '(limits.http_max_conns_per_client): they are begun again and again')
  }
}
