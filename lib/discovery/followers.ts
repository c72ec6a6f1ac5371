import { Background } from '../background.ts'
import type { WireHealthEntry } from '../consul/wire.ts'
import type { ServiceAnswer } from './questions.ts'
import type { ServiceView } from './view.ts'

/** Gets what Consul lists, and whether it says that this is only what the token may see. */
export type Follower = (entries: readonly WireHealthEntry[], filtered: boolean) => void

/** Who is told of every answer about a service. That a request asked is no reason to act on its behalf. */
export class Followers {
  readonly #byView = new Map<ServiceView, Set<Follower>>()
  readonly #background = new Background()

  /** Returns the function that ends it. */
  add (view: ServiceView, follower: Follower): () => void {
    const followers = this.#byView.get(view) ?? new Set()
    this.#byView.set(view, followers.add(follower))
    return () => {
      if (followers.delete(follower) && followers.size === 0) this.#byView.delete(view)
    }
  }

  has (view: ServiceView): boolean {
    return this.#byView.has(view)
  }

  tell (view: ServiceView, { value, filteredByAcls }: ServiceAnswer): void {
    for (const follower of this.#byView.get(view) ?? []) {
      this.#background.run(() => follower(value, filteredByAcls))
    }
  }
}
