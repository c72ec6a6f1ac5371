import type { Clock } from '../clock.ts'
import type { WireCheck, WireHealthEntry } from '../consul/wire.ts'
import type { Logger } from '../logger.ts'
import { checkTargetOf } from './definition.ts'
import type { Readiness } from './readiness.ts'
import type { Registered } from './registrar.ts'

interface ContradictionParts {
  readonly readiness: () => Promise<Readiness>
  readonly logger: Logger
  readonly clock: Clock
}

/** Besides the check's interval: how long Consul may take to notice that the service has become ready. Milliseconds. */
const noticeWithin = 1000

/**
 * Consul's check of the service fails, and goes on to fail while the service's own checks pass: usually the agent
 * cannot reach the address. Said once, until Consul's check has passed again.
 */
export class Contradiction {
  readonly #parts: ContradictionParts
  /** Consul's check while it fails. */
  #failing: WireCheck | undefined
  #told = false
  #cancel: (() => void) | undefined

  constructor (parts: ContradictionParts) {
    this.#parts = parts
  }

  /** Whether it stands: a ready service that Consul found critical to the last. */
  get stands (): boolean {
    return this.#told
  }

  /** Looks at what the catalog lists of the service now. */
  look (registered: Registered, { Checks: checks }: WireHealthEntry): void {
    const check = checks.find(({ CheckID: id }) => id === registered.checkId)
    this.#failing = check?.Status === 'critical' ? check : undefined
    if (this.#failing === undefined) {
      this.#told = false
      this.stop()
    } else if (!this.#told) {
      this.#judgeLater(registered)
    }
  }

  stop (): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  #judgeLater (registered: Registered): void {
    const patience = registered.check.interval + noticeWithin
    this.#cancel ??= this.#parts.clock.after(patience, () => {
      this.#judge(registered).catch(() => {}) // Whoever closed the health checks has no opinion any more.
    })
  }

  async #judge (registered: Registered): Promise<void> {
    const episode = this.#cancel
    const { status } = await this.#parts.readiness()
    if (episode === undefined || this.#cancel !== episode || this.#failing === undefined) return
    this.#cancel = undefined
    if (status !== 'passing') return this.#judgeLater(registered)
    this.#told = true
    const { id } = registered
    this.#parts.logger.warn({ id, check: checkTargetOf(registered), output: this.#failing.Output },
      'Consul\'s check fails although the service is ready: can the agent reach it there?')
  }
}
