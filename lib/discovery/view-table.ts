import { instanceKey, type DiscoverQuery } from './source.ts'
import { ServiceView, type Upkeep } from './view.ts'

/** Names come from users too: no more than this many are remembered. */
const maxViews = 1000

/** In this order they make room: first those of which nothing is lost. What is watched stays. */
const forgettable: readonly Upkeep[] = ['unknown', 'new', 'idle', 'polled']

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

  find (name: string, query: DiscoverQuery): ServiceView | undefined {
    const view = this.#views.get(textOf(name, query))
    return view?.key.name === name ? view : undefined
  }

  /** The name must be one that Consul can be asked for. */
  obtain (name: string, query: DiscoverQuery): ServiceView {
    const text = textOf(name, query)
    const existing = this.#views.get(text)
    if (existing !== undefined) return existing
    if (this.#views.size >= maxViews) this.#forgetOne()
    const { datacenter, filter, near } = query
    const view = new ServiceView({ name, datacenter, filter, near })
    this.#views.set(text, view)
    return view
  }

  has (view: ServiceView): boolean {
    return this.#views.get(textOf(view.key.name, view.key)) === view
  }

  /** Every healthy instance that some view lists, by its key. */
  instanceKeys (): Set<string> {
    return new Set([...this.#views.values()].flatMap(({ snapshot }) => snapshot?.healthy.map(instanceKey) ?? []))
  }

  /** The oldest of the first kind that there is. */
  #forgetOne (): void {
    for (const upkeep of forgettable) {
      for (const [text, view] of this.#views) {
        if (view.upkeep !== upkeep) continue
        this.#views.delete(text)
        return this.#onForgotten(view)
      }
    }
  }
}

/** A plain service is its own key: this is asked for at every call. No name that can be asked for has a line end. */
function textOf (name: string, { datacenter, filter, near }: DiscoverQuery): string {
  if (datacenter === undefined && filter === undefined && near === undefined) return name
  return `${name}\n${JSON.stringify([datacenter, filter, near])}`
}
