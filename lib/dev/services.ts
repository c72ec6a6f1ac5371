import type { Clock } from '../clock.ts'
import type { CheckStatus } from '../consul/wire.ts'
import { Indexes } from './indexes.ts'
import type { LateOutputs } from './late-outputs.ts'
import type { Check, CheckDefinition, Service } from './records.ts'

/** Runs checks, and says what came of it to `Services.setStatus`. */
export interface Runner {
  /** From the beginning, whether it ran or not. @param told what a TTL check was told last */
  start (definition: CheckDefinition, told?: string): void
  stop (checkId: string): void
}

export interface ServicesParts {
  readonly clock: Clock
  readonly runner: Runner
  readonly lateOutputs: LateOutputs
}

/** What is registered: at the agent, and as it is the only one in the catalog too. */
export class Services {
  readonly indexes = new Indexes()
  readonly #parts: ServicesParts
  readonly #services = new Map<string, Service>()
  readonly #checks = new Map<string, Check>()
  readonly #waiting = new Set<() => void>()

  constructor (parts: ServicesParts) {
    this.#parts = parts
  }

  service (id: string): Service | undefined {
    return this.#services.get(id)
  }

  all (): Service[] {
    return byId([...this.#services.values()])
  }

  named (name: string): Service[] {
    return this.all().filter(service => service.name === name)
  }

  check (id: string): Check | undefined {
    return this.#checks.get(id)
  }

  checks (): Check[] {
    return [...this.#checks.values()].sort((a, b) => compare(a.definition.id, b.definition.id))
  }

  checksOf (serviceId: string): Check[] {
    return this.checks().filter(check => check.serviceId === serviceId)
  }

  /** Calls back after each change until the returned function is called. */
  onChange (callback: () => void): () => void {
    this.#waiting.add(callback)
    return () => { this.#waiting.delete(callback) }
  }

  /** @param replace whether checks of the service that are not among `definitions` go */
  register (service: Service, definitions: readonly CheckDefinition[], replace: boolean): void {
    const before = this.#services.get(service.id)
    const isNew = JSON.stringify(before) !== JSON.stringify(service)
    this.#services.set(service.id, service)
    const changes = definitions.map(definition => this.#addCheck(definition, service.id))
    if (replace) {
      for (const { definition: { id } } of this.checksOf(service.id)) {
        if (!definitions.some(definition => definition.id === id)) changes.push(this.#removeCheck(id))
      }
    }
    if (before !== undefined && before.name !== service.name) this.#left(before.name)
    if (isNew) this.indexes.define(service.name)
    else if (changes.includes(true)) this.indexes.touch(service.name)
    this.#tell()
  }

  /** Whether there was such a service. */
  deregister (id: string): boolean {
    const service = this.#services.get(id)
    if (service === undefined) return false
    for (const { definition } of this.checksOf(id)) this.#removeCheck(definition.id)
    this.#services.delete(id)
    this.#left(service.name)
    this.#tell()
    return true
  }

  /** Adds a check to a service as it is; one that there is already stays as it is. */
  addCheck (definition: CheckDefinition, serviceId: string): void {
    if (!this.#checks.has(definition.id) && this.#addCheck(definition, serviceId)) this.#changed(serviceId)
  }

  /** Whether there was such a check. */
  deregisterCheck (id: string): boolean {
    const check = this.#checks.get(id)
    if (check === undefined) return false
    this.#removeCheck(id)
    this.#changed(check.serviceId)
    return true
  }

  /** What is told of a TTL check, whose time begins anew. */
  heartbeat (check: Check, status: CheckStatus, output: string): void {
    this.#parts.runner.start(check.definition, output)
    this.setStatus(check.definition.id, status, output)
  }

  /** What the check says now. An output without a new status comes into the catalog late. */
  setStatus (checkId: string, status: CheckStatus, output: string): void {
    const check = this.#checks.get(checkId)
    if (check === undefined) return
    check.output = output
    if (status !== 'critical') check.criticalSince = undefined
    else check.criticalSince ??= this.#parts.clock.now()
    if (check.status !== status) {
      check.status = status
      this.#list(check)
    } else if (output !== check.listedOutput) {
      this.#parts.lateOutputs.add(checkId, () => this.#list(check))
    }
  }

  #list (check: Check): void {
    this.#parts.lateOutputs.delete(check.definition.id)
    check.listedOutput = check.output
    this.#changed(check.serviceId)
  }

  /** A check id that is known keeps its status and its output. @returns whether the catalog sees a difference */
  #addCheck (definition: CheckDefinition, serviceId: string): boolean {
    const { clock, runner, lateOutputs } = this.#parts
    const known = this.#checks.get(definition.id)
    const status = known?.status ?? definition.status
    const output = known?.output ?? ''
    const criticalSince = status === 'critical' ? known?.criticalSince ?? clock.now() : undefined
    this.#checks.set(definition.id, { definition, serviceId, status, output, listedOutput: output, criticalSince })
    lateOutputs.delete(definition.id)
    runner.start(definition)
    if (known === undefined) return true
    const { name, notes, probe } = known.definition
    return known.serviceId !== serviceId || known.listedOutput !== output || name !== definition.name ||
      notes !== definition.notes || probe?.type !== definition.probe?.type
  }

  #removeCheck (id: string): true {
    this.#parts.runner.stop(id)
    this.#parts.lateOutputs.delete(id)
    this.#checks.delete(id)
    return true
  }

  #changed (serviceId: string): void {
    const service = this.#services.get(serviceId)
    if (service !== undefined) this.indexes.touch(service.name)
    this.#tell()
  }

  #left (name: string): void {
    if (this.named(name).length > 0) this.indexes.define(name)
    else this.indexes.forget(name)
  }

  #tell (): void {
    for (const callback of [...this.#waiting]) callback()
  }
}

const compare = (a: string, b: string): number => a < b ? -1 : a > b ? 1 : 0
const byId = (services: Service[]): Service[] => services.sort((a, b) => compare(a.id, b.id))
