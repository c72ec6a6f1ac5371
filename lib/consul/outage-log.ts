import { Flapping } from '../flapping.ts'
import type { Logger } from '../logger.ts'

/**
 * What the log says of outages: one line for each beginning and each end, three of an agent that comes and goes. It
 * never throws: a logger that does must not end the probing, or nobody would ever ask Consul again.
 */
export class OutageLog {
  readonly #logger: Logger
  readonly #flapping = new Flapping()

  constructor (logger: Logger) {
    this.#logger = logger
  }

  /** @param now milliseconds */
  begun (err: unknown, now: number): void {
    const verdict = this.#flapping.judge(this, now)
    if (verdict === 'known') return
    const what = verdict === 'news' ? 'cannot be reached' : 'comes and goes all the time'
    this.#say('warn', { err }, `Consul ${what}; what is known of it is kept`)
  }

  /** @param outage how long it was, in milliseconds */
  over (outage: number, now: number): void {
    if (this.#flapping.judge(this, now) !== 'news') return
    this.#say('info', { outage: Math.round(outage) }, 'Consul answers again')
  }

  #say (level: 'info' | 'warn', details: object, message: string): void {
    try {
      this.#logger[level](details, message)
    } catch {
      // There is nobody left to tell it to.
    }
  }
}
