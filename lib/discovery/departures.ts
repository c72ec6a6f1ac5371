import type { ServiceInstance } from '../consul/instance.ts'
import { instanceKey } from './source.ts'
import type { ServiceView } from './view.ts'

type Listener = (left: readonly ServiceInstance[]) => void

/** Tells of instances that may not be called any longer: those that no list holds. */
export class Departures {
  readonly #others: (view: ServiceView) => readonly ServiceView[]
  readonly #listeners = new Set<Listener>()

  /** `others` gives the other views of the same service. */
  constructor (others: (view: ServiceView) => readonly ServiceView[]) {
    this.#others = others
  }

  onLeave (listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** These are gone from the list of a view. */
  check (view: ServiceView, gone: readonly ServiceInstance[]): void {
    if (gone.length === 0) return
    const listed = new Set(this.#others(view).flatMap(({ snapshot }) => snapshot?.healthy.map(instanceKey) ?? []))
    const left = gone.filter(instance => !listed.has(instanceKey(instance)))
    if (left.length > 0) for (const listener of this.#listeners) listener(left)
  }
}
