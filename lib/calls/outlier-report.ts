import type { Endpoint } from '../balancing/endpoint.ts'
import type { Turn } from '../balancing/outlier.ts'
import type { Clock } from '../clock.ts'
import { Flapping } from '../flapping.ts'
import type { Logger } from '../logger.ts'
import type { CallEvents } from './events.ts'

export interface OutlierReportParts {
  readonly events: Pick<CallEvents, 'ejection' | 'return'>
  readonly logger: Logger
  readonly clock: Clock
}

/** What is told of instances that are left out and come back: each turn to subscribers, each change in the log. */
export class OutlierReport {
  readonly #parts: OutlierReportParts
  readonly #out = new WeakSet<Endpoint>()
  readonly #flapping = new Flapping()

  constructor (parts: OutlierReportParts) {
    this.#parts = parts
  }

  tell (endpoint: Endpoint, turn: Turn): void {
    this.#log(endpoint, turn)
    this.#publish(endpoint, turn)
  }

  /** That one which is out has failed again is no change. */
  #log (endpoint: Endpoint, turn: Turn): void {
    const isOut = turn === 'ejected'
    if (this.#out.has(endpoint) === isOut) return
    if (isOut) this.#out.add(endpoint)
    else this.#out.delete(endpoint)
    const { logger, clock } = this.#parts
    const { instance: { name: service, id, address, port }, ejection } = endpoint
    const verdict = this.#flapping.judge(endpoint, clock.now())
    if (verdict === 'flapping') logger.warn({ service, id }, 'An instance fails and comes back all the time')
    if (verdict !== 'news') return
    if (isOut) {
      const details = { service, id, address, port, reason: ejection?.reason, failure: ejection?.failure }
      logger.warn(details, 'An instance fails more than the others and is left out of calls for a while')
    } else {
      const what = turn === 'left' ? 'has left' : 'is back'
      logger.info({ service, id }, `An instance that was left out of calls ${what}`)
    }
  }

  #publish ({ instance, ejection }: Endpoint, turn: Turn): void {
    const { events } = this.#parts
    const service = instance.name
    if (turn !== 'ejected') {
      if (events.return.hasSubscribers) events.return.publish({ service, instance, left: turn === 'left' })
    } else if (ejection !== undefined && events.ejection.hasSubscribers) {
      events.ejection.publish({ service, instance, ejection })
    }
  }
}
