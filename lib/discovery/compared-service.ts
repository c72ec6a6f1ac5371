import type { ServiceInstance } from '../consul/instance.ts'
import { isNone, type Difference } from './difference.ts'

/** How Consul's answer for a service compares with its fallback. */
export interface Compared extends Difference {
  /** How often another difference was found. */
  readonly mismatches: number
}

/** Why there is nothing to compare with. */
export interface Hindrance {
  readonly error: unknown
  /** The clock's time. */
  readonly since: number
}

/** How often a list that is the same is compared again: what names stand for changes too. Milliseconds. */
const interval = 10_000

/** One service of the fallback: when it is to be compared, and what came of it. */
export class ComparedService {
  /** As the option calls it. */
  readonly name: string
  /** What was found last. */
  compared: Compared | undefined
  /** Why it could not be compared the last time. */
  hindrance: Hindrance | undefined
  #list: readonly ServiceInstance[] | undefined
  #isRunning = false
  #nextAt = -Infinity

  constructor (name: string) {
    this.name = name
  }

  /** @param list what is known now. That nothing is known any longer is no change. */
  isDue (list: readonly ServiceInstance[] | undefined, now: number): boolean {
    return !this.#isRunning && ((list !== undefined && list !== this.#list) || now >= this.#nextAt)
  }

  begin (): void {
    this.#isRunning = true
  }

  /** Whether it is news. */
  takes (difference: Difference): boolean {
    if (this.compared !== undefined && textOf(difference) === textOf(this.compared)) return false
    const { mismatches = 0 } = this.compared ?? {}
    this.compared = Object.freeze({ ...difference, mismatches: mismatches + Number(!isNone(difference)) })
    return true
  }

  /** It could not be compared. Whether that is news. */
  fails (error: unknown, now: number): boolean {
    const { since } = this.hindrance ?? {}
    this.hindrance = { error, since: since ?? now }
    return since === undefined
  }

  /** It could. Whether that is news. */
  recovers (): boolean {
    const failed = this.hindrance !== undefined
    this.hindrance = undefined
    return failed
  }

  /** @param list what was compared */
  end (list: readonly ServiceInstance[] | undefined, now: number): void {
    this.#isRunning = false
    this.#list = list
    this.#nextAt = now + interval
  }
}

function textOf ({ onlyInFallback, onlyInConsul }: Difference): string {
  return `${onlyInFallback.join()} ${onlyInConsul.join()}`
}
