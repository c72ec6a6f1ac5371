import type { ServiceInstance } from '../consul/instance.ts'
import { keyOf } from './instances.ts'
import { instanceKey, type LeaveListener } from './source.ts'
import type { ServiceView } from './view.ts'

/** Tells of instances that may not be called any longer: those that no list holds which is kept up to date. */
export class Departures {
  readonly #others: (view: ServiceView) => readonly ServiceView[]
  readonly #listeners = new Set<LeaveListener>()

  /** `others` gives the other views of the same service. */
  constructor (others: (view: ServiceView) => readonly ServiceView[]) {
    this.#others = others
  }

  onLeave (listener: LeaveListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** These are gone from the list of a view. */
  check (view: ServiceView, gone: readonly ServiceInstance[]): void {
    if (gone.length === 0) return
    // The list of a view that is left alone stays as it is, whoever leaves.
    const others = this.#others(view).filter(({ upkeep }) => upkeep !== 'idle')
    const listed = new Set(others.flatMap(({ snapshot }) => snapshot?.healthy.map(instanceKey) ?? []))
    const left = gone.filter(instance => !listed.has(instanceKey(instance)))
    const known = knownIn(view, left)
    this.#tell(left.filter(instance => known.has(instance)), true)
    this.#tell(left.filter(instance => !known.has(instance)), false)
  }

  #tell (left: readonly ServiceInstance[], mayReturn: boolean): void {
    if (left.length > 0) for (const listener of this.#listeners) listener(left, mayReturn)
  }
}

/** Those that Consul still lists where they were: they are critical, or in maintenance. */
function knownIn ({ snapshot }: ServiceView, instances: readonly ServiceInstance[]): ReadonlySet<ServiceInstance> {
  const byKey = new Map(instances.map(instance => [keyOf(instance), instance]))
  return new Set(snapshot?.known.flatMap(known => {
    const instance = byKey.get(keyOf(known))
    return instance?.address === known.address && instance.port === known.port ? instance : []
  }))
}
