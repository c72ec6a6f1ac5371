import type { ConsulClient } from '../consul/client.ts'
import type { ServiceDefinition } from '../consul/service-definition.ts'
import type { CheckStatus } from '../consul/wire.ts'
import { ApiForbiddenError, ApiNotFoundError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { publishedAddress, type PublishedAddress } from './address.ts'
import { checkIdsOf, definitionOf, uncheckedDefinitionOf, type DefinitionParts } from './definition.ts'
import { tellOfTraps } from './traps.ts'

/** A write to an agent without quorum answers after up to 15 s; in the background nobody waits for it. */
const writeTimeout = 20_000

/** What is to be registered; the address is found out on the way. */
export type RegistrationPlan = Omit<DefinitionParts, 'published'>

/** What was registered. */
export interface Registered extends DefinitionParts {
  readonly checkId: string
  /** The status that the check began with. */
  readonly status: CheckStatus
}

/** Writes one service to one agent, one write after the other. */
export class Registrar {
  readonly #client: ConsulClient
  readonly #logger: Logger
  readonly #plan: RegistrationPlan
  /** The write under way, or the last one. */
  #writing: Promise<unknown> = Promise.resolve()
  #registered: Registered | undefined
  #hasWritten = false
  #trapsTold = false

  constructor (client: ConsulClient, logger: Logger, plan: RegistrationPlan) {
    this.#client = client
    this.#logger = logger
    this.#plan = plan
  }

  /** What the agent took last. */
  get registered (): Registered | undefined {
    return this.#registered
  }

  /** Whether the agent may have the service: a registration was sent, and not refused. */
  get hasWritten (): boolean {
    return this.#hasWritten
  }

  /**
   * Registers with a check of this status. At no moment is the service at the agent without a check.
   *
   * @param signal ends it before anything is written; a registration that was sent is never aborted, as it lands at
   * the agent all the same
   */
  async register (status: CheckStatus, signal?: AbortSignal): Promise<Registered> {
    // The one before must have left its check id.
    const writing = this.settled().then(() => this.#register(status, signal))
    this.#writing = writing
    this.#registered = await writing
    return this.#registered
  }

  /** Resolves when no write is under way. */
  async settled (): Promise<void> {
    await this.#writing.catch(() => {})
  }

  async deregister (signal: AbortSignal): Promise<void> {
    try {
      await this.#client.deregisterService(this.#plan.id, { signal })
    } catch (error) {
      if (!(error instanceof ApiNotFoundError)) throw error
    }
  }

  /** Registers without a check; one of a registration before goes. */
  async registerUnchecked (): Promise<void> {
    const present = await this.#presentChecks()
    const parts = { ...this.#plan, published: this.#published() }
    await this.#write(uncheckedDefinitionOf(parts))
    for (const checkId of checkIdsOf(this.#plan.id)) {
      if (present.includes(checkId)) await this.#dropCheck(checkId)
    }
    await this.#tellOfTraps(parts)
  }

  async #register (status: CheckStatus, signal: AbortSignal | undefined): Promise<Registered> {
    const present = await this.#presentChecks(signal)
    const parts = { ...this.#plan, published: this.#published() }
    const [checkId, other] = this.#checkIds(present)
    signal?.throwIfAborted()
    if (present.includes(checkId)) await this.#dropCheck(checkId) // Both are there: it would keep its old status.
    await this.#write(definitionOf(parts, checkId, status))
    if (present.includes(other)) await this.#dropCheck(other)
    await this.#tellOfTraps(parts)
    return { ...parts, checkId, status }
  }

  async #write (definition: ServiceDefinition): Promise<void> {
    const hadWritten = this.#hasWritten
    this.#hasWritten = true
    try {
      await this.#client.registerService(definition, { timeout: writeTimeout })
    } catch (error) {
      if (error instanceof ApiForbiddenError) this.#hasWritten = hadWritten
      throw error
    }
  }

  /**
   * The ids of the checks that the agent has for this service; none if it may not be asked. Its answer also tells by
   * which address this machine reaches the agent.
   */
  async #presentChecks (signal?: AbortSignal): Promise<string[]> {
    try {
      return Object.keys(await this.#client.agentChecks(this.#plan.id, { signal }))
    } catch (error) {
      if (error instanceof ApiForbiddenError) return []
      throw error
    }
  }

  /** The check id to register with, which is the one that the agent does not have, and the other. */
  #checkIds (present: readonly string[]): readonly [string, string] {
    const [a, b] = checkIdsOf(this.#plan.id)
    return present.includes(a) && !present.includes(b) ? [b, a] : [a, b]
  }

  async #dropCheck (checkId: string): Promise<void> {
    try {
      await this.#client.deregisterCheck(checkId, { timeout: writeTimeout })
    } catch (error) {
      if (!(error instanceof ApiNotFoundError)) throw error
    }
  }

  #published (): PublishedAddress {
    const { service, listener } = this.#plan
    const towardsAgent = this.#client.localAddress
    return publishedAddress({ configured: service.address, bound: listener.host, towardsAgent })
  }

  async #tellOfTraps (parts: DefinitionParts): Promise<void> {
    if (this.#trapsTold) return
    this.#trapsTold = true
    await tellOfTraps(parts, this.#client, this.#logger)
  }
}
