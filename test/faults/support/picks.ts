import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Teardown } from '../../support/teardown.ts'
import { now } from './monotonic.ts'

/** To which instances the calls of this process go. */
export class Picks {
  readonly #picks: { readonly id: string, readonly at: number }[] = []

  constructor (t: Teardown) {
    const listener = (message: unknown): void => {
      const { instance } = message as { instance: { id: string } }
      this.#picks.push({ id: instance.id, at: now() })
    }
    subscribe('fastify-consul:pick', listener)
    t.teardown(() => unsubscribe('fastify-consul:pick', listener))
  }

  /**
   * The share of an instance in a time. 0 to 1.
   *
   * @throws if nothing was picked then: that says nothing of anyone
   */
  shareOf (id: string, from: number, to: number): number {
    const within = this.#picks.filter(({ at }) => at >= from && at < to)
    if (within.length === 0) throw new Error('nothing was picked')
    return within.filter(pick => pick.id === id).length / within.length
  }
}
