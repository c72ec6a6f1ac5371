import type { DiscoverQuery } from './source.ts'
import { ServiceView } from './view.ts'

/** Names come from users too: no more than this many are remembered. */
const maxViews = 1000

/** The views by what they ask Consul for; the oldest that no watch keeps makes room for a new one. */
export class ViewTable {
  readonly #views = new Map<string, ServiceView>()

  find (name: string, query: DiscoverQuery): ServiceView | undefined {
    return this.#views.get(textOf(name, query))
  }

  obtain (name: string, query: DiscoverQuery, now: number): ServiceView {
    const text = textOf(name, query)
    const existing = this.#views.get(text)
    if (existing !== undefined) return existing
    if (this.#views.size >= maxViews) this.#forgetOne()
    const { datacenter, filter, near } = query
    const view = new ServiceView({ name, datacenter, filter, near }, now)
    this.#views.set(text, view)
    return view
  }

  #forgetOne (): void {
    for (const [text, view] of this.#views) {
      if (view.upkeep === 'watched') continue
      this.#views.delete(text)
      return
    }
  }
}

/** A plain service is its own key: this is asked for at every call. The separator is no character of a name. */
function textOf (name: string, { datacenter, filter, near }: DiscoverQuery): string {
  if (datacenter === undefined && filter === undefined && near === undefined) return name
  return [name, datacenter ?? '', filter ?? '', near ?? ''].join('\n')
}
