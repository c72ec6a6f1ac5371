import type { DiscoverQuery } from './source.ts'
import { ServiceView, type Upkeep } from './view.ts'

/** Names come from users too: no more than this many are remembered. */
export const maxViews = 1000

/** In this order they make room: first those of which nothing is lost. What is kept up to date stays. */
const forgettable: readonly Upkeep[] = ['unknown', 'new', 'idle']

/** The views by what they ask Consul for. */
export class ViewTable {
  readonly #views = new Map<string, ServiceView>()
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
    if (this.#views.delete(textOf(view.key.name, view.key))) this.#onForgotten(view)
  }

  /** The other views of the same service, which Consul finds in any case. */
  othersOf (view: ServiceView): ServiceView[] {
    const name = view.key.name.toLowerCase()
    return [...this.#views.values()].filter(other => other !== view && other.key.name.toLowerCase() === name)
  }

  #insert (text: string, view: ServiceView): ServiceView {
    if (this.#views.size >= maxViews && !this.#views.has(text)) this.#forgetOne()
    this.#views.set(text, view)
    return view
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
