import type { ConsulClient } from '../consul/client.ts'
import { maintenanceIdOf } from '../consul/health-entry.ts'
import type { ServiceDefinition } from '../consul/service-definition.ts'
import type { CheckStatus, WireService } from '../consul/wire.ts'
import { ApiForbiddenError, ApiNotFoundError } from '../errors.ts'
import { publishedAddress, type PublishedAddress } from './address.ts'
import { checkIdsFor, checkIdsOf, type PresentChecks } from './check-ids.ts'
import { definitionOf, uncheckedDefinitionOf, type DefinitionParts } from './definition.ts'
import type { Loss } from './loss.ts'

/** A write to an agent without quorum answers after up to 15 s; in the background nobody waits for it. */
const writeTimeout = 20_000

/** What is to be registered; the address is found out on the way. */
export type RegistrationPlan = Omit<DefinitionParts, 'published'>

/** What was registered. */
export interface Registered extends DefinitionParts {
  readonly definition: ServiceDefinition
  readonly checkId: string
  /** The status that the check began with. */
  readonly status: CheckStatus
}

/** How it is to begin. */
export interface Beginning {
  readonly status: CheckStatus
  /** Why it is written again. */
  readonly loss?: Loss | undefined
  /** The reason of the maintenance in which it was when it was last seen: if that is lost it is set again. */
  readonly maintenance?: string | undefined
}

/** Writes one service to one agent, one write after the other. */
export class Registrar {
  readonly #client: ConsulClient
  #plan: RegistrationPlan
  /** The write under way, or the last one. */
  #writing: Promise<unknown> = Promise.resolve()
  #registered: Registered | undefined
  #hasWritten = false

  constructor (client: ConsulClient, plan: RegistrationPlan) {
    this.#client = client
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
   * Registers with a check that begins so. At no moment is the service at the agent without a check.
   *
   * @param signal ends it before anything is written; a registration that was sent is never aborted, as it lands at
   * the agent all the same
   */
  async register (beginning: Beginning, signal?: AbortSignal): Promise<Registered> {
    // The one before must have left its check id.
    const writing = this.settled().then(() => this.#register(beginning, signal))
    this.#writing = writing
    this.#registered = await writing
    return this.#registered
  }

  /** Registers without a check; one of a registration before goes. */
  async registerUnchecked (): Promise<DefinitionParts> {
    const present = await this.#presentChecks()
    const parts = { ...this.#plan, published: this.#published() }
    await this.#write(uncheckedDefinitionOf(parts))
    for (const checkId of checkIdsOf(this.#plan.id)) {
      if (checkId in present) await this.#dropCheck(checkId)
    }
    return parts
  }

  /** Tags that others have changed, as they may: the next write keeps them. */
  keepTags ({ Tags: tags }: WireService): void {
    const { service } = this.#plan
    if (service.enableTagOverride) this.#plan = { ...this.#plan, service: { ...service, tags: tags ?? [] } }
  }

  /** Another process has written the same under this check id. */
  adoptCheck (checkId: string): void {
    if (this.#registered !== undefined) this.#registered = { ...this.#registered, checkId }
  }

  /** Resolves when no write is under way. */
  async settled (): Promise<void> {
    await this.#writing.catch(() => {})
  }

  async deregister (signal: AbortSignal): Promise<void> {
    await this.#client.deregisterService(this.#plan.id, { signal }).catch(unlessUnknown)
  }

  async #register (beginning: Beginning, signal?: AbortSignal): Promise<Registered> {
    const { loss } = beginning
    const present = await this.#presentChecks(signal)
    const parts = { ...this.#plan, published: this.#published() }
    const maintenance = isLost(present, loss) ? beginning.maintenance : undefined
    const maintenanceId = maintenanceIdOf(parts.id)
    const isMaintained = maintenance !== undefined && maintenanceId in present
    // In maintenance for the agent, and not for the catalog: it may hear of the service's own check first.
    const status = isMaintained ? 'critical' : beginning.status
    // What is written as it was the agent takes for known to the catalog.
    const last = loss !== undefined && loss.other === undefined ? undefined : this.#registered?.checkId
    const { checkId, other, isKept } = checkIdsFor(parts, status, present, last)
    const definition = definitionOf(parts, checkId, status, maintenance)
    signal?.throwIfAborted()
    if (isMaintained) await this.#dropCheck(maintenanceId)
    // Both are there: it would keep its old status.
    if (checkId in present && !isKept) await this.#dropCheck(checkId)
    await this.#write(other in present ? alsoUnder(definition, other) : definition)
    if (other in present) await this.#dropCheck(other)
    return { ...parts, definition, checkId, status }
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
   * The checks that the agent has for this service; none if it may not be asked. Its answer also tells by which address
   * this machine reaches the agent.
   */
  async #presentChecks (signal?: AbortSignal): Promise<PresentChecks> {
    try {
      return await this.#client.agentChecks(this.#plan.id, { signal })
    } catch (error) {
      if (error instanceof ApiForbiddenError) return {}
      throw error
    }
  }

  async #dropCheck (checkId: string): Promise<void> {
    await this.#client.deregisterCheck(checkId, { timeout: writeTimeout }).catch(unlessUnknown)
  }

  #published (): PublishedAddress {
    const { service, listener } = this.#plan
    const towardsAgent = this.#client.localAddress
    return publishedAddress({ configured: service.address, bound: listener.host, towardsAgent })
  }
}

/** Whether Consul has nothing of the service any more: the agent, or the catalog only. */
function isLost (present: PresentChecks, loss: Loss | undefined): boolean {
  return loss?.isGone === true || Object.keys(present).length === 0
}

/**
 * With the same check under another id too. An agent before Consul 1.15 takes a check out of the catalog with the token
 * that this was written with last, and the one of before may be revoked by now.
 */
function alsoUnder ({ check, checks = [], ...service }: ServiceDefinition, checkId: string): ServiceDefinition {
  return { ...service, check: { ...check, checkId }, checks: [check!, ...checks] }
}

function unlessUnknown (error: unknown): void {
  if (!(error instanceof ApiNotFoundError)) throw error
}
