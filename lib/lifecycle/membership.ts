import { Background } from '../background.ts'
import { serviceIdOf } from '../options/resolve.ts'
import type { ResolvedOptions } from '../options/resolved.ts'
import type { Listener } from './listener.ts'
import { Registration } from './registration.ts'
import type { RegistrationParts } from './registration-parts.ts'
import type { RegistrationStatus } from './registration-status.ts'

interface MembershipParts extends RegistrationParts {
  readonly options: Pick<ResolvedOptions, 'service' | 'check' | 'hostname'>
  /** Once it aborts, nothing is registered any more. */
  readonly signal: AbortSignal
}

/** The service's place in Consul, taken and left as often as wanted: at most one registration at a time. */
export class Membership {
  readonly #parts: MembershipParts
  readonly #background = new Background()
  #registration: Registration
  /** The first try of that registration. */
  #joined: Promise<void> | undefined
  /** Set while the service is being taken out. */
  #leaving: Promise<void> | undefined

  constructor (parts: MembershipParts) {
    this.#parts = parts
    this.#registration = new Registration(parts)
  }

  get status (): RegistrationStatus {
    return this.#registration.status
  }

  /** Milliseconds from joining until the catalog showed it; `undefined`: it did not yet. */
  get routableAfter (): number | undefined {
    return this.#registration.routableAfter
  }

  /**
   * Registers what listens, and keeps it so. Settles with the first try; a failed one is tried again in the background.
   *
   * @param readyPath the ready route as mounted
   */
  async join (listener: Listener, readyPath = '/health/ready'): Promise<void> {
    const { options: { service, check, hostname }, signal } = this.#parts
    if (this.#leaving !== undefined) await this.#leaving
    if (!service || signal.aborted) return
    if (this.#registration.ended) {
      this.#registration = new Registration(this.#parts)
      this.#joined = undefined
    }
    const port = service.port === 0 ? listener.port : service.port
    const id = serviceIdOf(service, hostname, port)
    const plan = { id, service, check, listener: { ...listener, port }, readyPath }
    this.#joined ??= this.#background.run(() => this.#registration.start(plan))
    await this.#joined
  }

  /**
   * Takes the service out of discovery, or back in. Without a registration there is but a line in the log.
   *
   * @throws FST_CONSUL_CONFLICT while another process has the id
   */
  async maintain (on: boolean, reason?: string): Promise<void> {
    const { client, logger } = this.#parts
    const { id, state, error } = this.status
    if (state === 'conflict') throw error
    if (id === undefined || state === 'draining' || state === 'stopped') {
      return logger.warn({ on, reason }, 'No maintenance: nothing is registered')
    }
    await client.setMaintenance(id, on, reason)
  }

  /** Takes the service out of Consul and waits until it is seen to be gone, `within` milliseconds. */
  async leave (within: number): Promise<void> {
    const registration = this.#registration
    const leaving = registration.withdraw(within).then(() => registration.close())
    this.#leaving = leaving
    await leaving
    if (this.#leaving === leaving) this.#leaving = undefined
  }

  /** The same for the last time: it is `draining` until `close()`. Answers whether there was anything to take out. */
  async drain (within: number): Promise<boolean> {
    return await this.#registration.withdraw(within)
  }

  /** The end. */
  close (): void {
    this.#registration.close()
  }
}
