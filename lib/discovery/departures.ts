import type { ServiceInstance } from '../consul/instance.ts'
import { instanceKey } from './source.ts'

type Listener = (left: readonly ServiceInstance[]) => void

/** Tells of instances that may not be called any longer: those that no list holds. */
export class Departures {
  readonly #listed: () => ReadonlySet<string>
  readonly #listeners = new Set<Listener>()

  /** `listed` gives the keys of all instances in any list. */
  constructor (listed: () => ReadonlySet<string>) {
    this.#listed = listed
  }

  onLeave (listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** These are gone from one list. */
  check (gone: readonly ServiceInstance[]): void {
    if (gone.length === 0) return
    const listed = this.#listed()
    const left = gone.filter(instance => !listed.has(instanceKey(instance)))
    if (left.length > 0) for (const listener of this.#listeners) listener(left)
  }
}
