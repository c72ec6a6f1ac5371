import { networkInterfaces } from 'node:os'
import type { ConsulClient } from '../consul/client.ts'
import type { CheckStatus } from '../consul/wire.ts'
import { ApiForbiddenError, ApiNotFoundError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { isLoopback, publishedAddress, type PublishedAddress } from './address.ts'
import { checkIdsOf, checkTypeOf, definitionOf, type DefinitionParts } from './definition.ts'

/** A write to an agent without quorum answers after up to 15 s; in the background nobody waits for it. */
const writeTimeout = 20_000

/** What is to be registered; the address is found out on the way. */
export type RegistrationPlan = Omit<DefinitionParts, 'published'>

/** What was registered. */
export interface Enrolled extends DefinitionParts {
  readonly checkId: string
  /** The status that the check began with. */
  readonly status: CheckStatus
}

/** The label of a host name: https://www.rfc-editor.org/rfc/rfc1123#section-2 */
const dnsLabel = /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/i

/** The writing half of a registration: one entry at one agent. */
export class Enrolment {
  readonly #client: ConsulClient
  readonly #logger: Logger
  readonly #plan: RegistrationPlan
  #told = false

  constructor (client: ConsulClient, logger: Logger, plan: RegistrationPlan) {
    this.#client = client
    this.#logger = logger
    this.#plan = plan
  }

  /** Registers with a check of this status. At no moment is the service at the agent without a check. */
  async enrol (status: CheckStatus): Promise<Enrolled> {
    const { id } = this.#plan
    const present = await this.#presentChecks()
    const published = await this.#published()
    const parts: DefinitionParts = { ...this.#plan, published }
    const [checkId, ...old] = unusedFirst(checkIdsOf(id), present)
    await this.#client.registerService(definitionOf(parts, checkId!, status), { timeout: writeTimeout })
    for (const each of old.filter(known => present.includes(known))) await this.#dropCheck(each)
    return { ...parts, checkId: checkId!, status }
  }

  /** Registers without a check: Consul takes the service for healthy as long as the node lives. */
  async enrolUnchecked (): Promise<void> {
    await this.#client.leader() // Only a connection tells by which address this machine reaches the agent.
    const { check, ...definition } = definitionOf({ ...this.#plan, published: await this.#published() }, '', 'passing')
    await this.#client.registerService(definition, { timeout: writeTimeout })
  }

  /** The ids of the checks that the agent has for this service; none if it may not be asked. */
  async #presentChecks (): Promise<string[]> {
    try {
      return Object.keys(await this.#client.agentChecks(this.#plan.id))
    } catch (error) {
      if (error instanceof ApiForbiddenError) return []
      throw error
    }
  }

  async #dropCheck (checkId: string): Promise<void> {
    try {
      await this.#client.deregisterCheck(checkId, { timeout: writeTimeout })
    } catch (error) {
      if (!(error instanceof ApiNotFoundError)) throw error
    }
  }

  async #published (): Promise<PublishedAddress> {
    const { service, listener } = this.#plan
    const towardsAgent = this.#client.localAddress
    const published = publishedAddress({ configured: service.address, bound: listener.host, towardsAgent })
    if (!this.#told) {
      this.#told = true
      this.#tellOfTraps({ ...this.#plan, published })
      if (published.address === '' && await this.#agentIsElsewhere()) {
        this.#logger.warn('The agent answers on loopback but is none of this machine\'s addresses, as in a container: ' +
          'set service.address (SERVICE_ADDRESS) to an address at which it can reach this service')
      }
    }
    return published
  }

  #tellOfTraps (parts: DefinitionParts): void {
    const { service, check, published } = parts
    if (published.unreachable) {
      this.#logger.warn({ address: published.address },
        'A loopback address is registered at an agent on another machine: listen on another address, or set ' +
        'service.address (SERVICE_ADDRESS)')
    }
    if (!dnsLabel.test(service.name)) {
      this.#logger.warn({ service: service.name }, 'The service name is no DNS label: Consul\'s DNS will not find it')
    }
    const type = checkTypeOf(parts)
    if (type !== check.type) this.#logger.info('Consul\'s http check speaks no HTTP/2: a tcp check is registered')
    if (type === 'tcp' || type === 'grpc') this.#logger.info({ type }, 'Such a check cannot tell degraded from healthy')
  }

  /** Whether the agent, reached over loopback, has an address that is not of this machine. */
  async #agentIsElsewhere (): Promise<boolean> {
    try {
      const { Member: member } = await this.#client.agentSelf()
      const own = Object.values(networkInterfaces()).flatMap(each => each ?? []).map(each => each.address)
      return !isLoopback(member.Addr) && !own.includes(member.Addr)
    } catch {
      return false
    }
  }
}

function unusedFirst (ids: readonly string[], present: readonly string[]): string[] {
  return [...ids].sort((one, other) => Number(present.includes(one)) - Number(present.includes(other)))
}
