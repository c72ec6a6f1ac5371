import type { DiscoverQuery } from './source.ts'
import { ServiceView, type Upkeep } from './view.ts'

/** Names come from users too: no more than this many are remembered. */
export const maxViews = 1000

/** In this order they make room: first those of which nothing is lost. What is kept up to date stays. */
const forgettable: readonly Upkeep[] = ['unknown', 'new', 'idle']

/** The views by what they ask Consul for. */
export class ViewTable {
  readonly #views = new Map<string, ServiceView>()
  /** By names in lower case, as Consul finds a service in any case of its name. */
  readonly #byName = new Map<string, Set<ServiceView>>()
  readonly #onForgotten: (view: ServiceView) => void

  constructor (onForgotten: (view: ServiceView) => void) {
    this.#onForgotten = onForgotten
  }

  get size (): number {
    return this.#views.size
  }

  get all (): Iterable<ServiceView> {
    return this.#views.values()
  }

  find (name: string, query: DiscoverQuery): ServiceView | undefined {
    const view = this.#views.get(textOf(name, query))
    return view?.key.name === name ? view : undefined
  }

  /** The name must be one that Consul can be asked for. */
  obtain (name: string, query: DiscoverQuery): ServiceView {
    const text = textOf(name, query)
    const existing = this.#views.get(text)
    if (existing !== undefined) return existing
    const { datacenter, filter, near } = query
    return this.#insert(text, new ServiceView({ name, datacenter, filter, near }))
  }

  /**
   * A view may have been forgotten while its answer was under way. It is remembered again, unless there is another one
   * of the same key by now of which more is known.
   *
   * @returns the one that is remembered
   */
  readmit (view: ServiceView): ServiceView {
    const text = textOf(view.key.name, view.key)
    const other = this.#views.get(text)
    return other === undefined || other.upkeep === 'new' ? this.#insert(text, view) : other
  }

  forget (view: ServiceView): void {
    if (this.#remove(textOf(view.key.name, view.key))) this.#onForgotten(view)
  }

  /** The views of a service, by its name in any case. */
  of (name: string): Iterable<ServiceView> {
    return this.#byName.get(name.toLowerCase()) ?? []
  }

  /** The other views of the same service. */
  othersOf (view: ServiceView): ServiceView[] {
    return [...this.of(view.key.name)].filter(other => other !== view)
  }

  #insert (text: string, view: ServiceView): ServiceView {
    if (this.#views.size >= maxViews && !this.#views.has(text)) this.#forgetOne()
    this.#remove(text)
    this.#views.set(text, view)
    const name = view.key.name.toLowerCase()
    this.#byName.set(name, (this.#byName.get(name) ?? new Set()).add(view))
    return view
  }

  /** Whether there was one. */
  #remove (text: string): boolean {
    const view = this.#views.get(text)
    if (view === undefined) return false
    const name = view.key.name.toLowerCase()
    const namesakes = this.#byName.get(name)
    namesakes?.delete(view)
    if (namesakes?.size === 0) this.#byName.delete(name)
    return this.#views.delete(text)
  }

  /** The oldest of the first kind that there is. */
  #forgetOne (): void {
    for (const upkeep of forgettable) {
      for (const view of this.#views.values()) if (view.upkeep === upkeep) return this.forget(view)
    }
  }
}

/**
 * A plain service is its own key, and a datacenter alone takes no JSON: this is asked for at every call. No name that
 * can be asked for has a line end of any kind.
 */
function textOf (name: string, { datacenter, filter, near }: DiscoverQuery): string {
  if (filter !== undefined || near !== undefined) return `${name}\r${JSON.stringify([datacenter, filter, near])}`
  return datacenter === undefined ? name : `${name}\n${datacenter}`
}
