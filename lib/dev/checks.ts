import type { Clock } from '../clock.ts'
import type { CheckStatus } from '../consul/wire.ts'
import type { LateOutputs } from './late-outputs.ts'
import type { Check, CheckDefinition } from './records.ts'

/** Runs checks, and says what came of it to `Checks.set`. */
export interface Runner {
  /** From the beginning, whether it ran or not. @param told what a TTL check was told last */
  start (definition: CheckDefinition, told?: string): void
  stop (checkId: string): void
}

export interface ChecksParts {
  readonly clock: Clock
  readonly runner: Runner
  readonly lateOutputs: LateOutputs
  /** What the catalog has of the check is another now. */
  readonly onListed: (check: Check) => void
}

/** The checks of all services, and what they say. */
export class Checks {
  readonly #parts: ChecksParts
  readonly #checks = new Map<string, Check>()

  constructor (parts: ChecksParts) {
    this.#parts = parts
  }

  get (id: string): Check | undefined {
    return this.#checks.get(id)
  }

  all (): Check[] {
    const sorted = [...this.#checks].sort(([a], [b]) => a < b ? -1 : 1)
    return sorted.map(([, check]) => check)
  }

  of (serviceId: string): Check[] {
    return this.all().filter(check => check.serviceId === serviceId)
  }

  /** A check id that is known keeps its status and its output. @returns whether the catalog sees a difference */
  add (definition: CheckDefinition, serviceId: string): boolean {
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

  remove (id: string): void {
    this.#parts.runner.stop(id)
    this.#parts.lateOutputs.delete(id)
    this.#checks.delete(id)
  }

  /** What is told of a TTL check, whose time begins anew. */
  heartbeat (check: Check, status: CheckStatus, output: string): void {
    this.#parts.runner.start(check.definition, output)
    this.set(check.definition.id, status, output)
  }

  /** What the check says now. An output without a new status comes into the catalog late. */
  set (id: string, status: CheckStatus, output: string): void {
    const check = this.#checks.get(id)
    if (check === undefined) return
    check.output = output
    if (status !== 'critical') check.criticalSince = undefined
    else check.criticalSince ??= this.#parts.clock.now()
    if (check.status !== status) {
      check.status = status
      this.#list(check)
    } else if (output !== check.listedOutput) {
      this.#parts.lateOutputs.add(id, () => this.#list(check))
    }
  }

  #list (check: Check): void {
    this.#parts.lateOutputs.delete(check.definition.id)
    check.listedOutput = check.output
    this.#parts.onListed(check)
  }
}
