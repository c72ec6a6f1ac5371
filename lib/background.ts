import { AsyncResource } from 'node:async_hooks'

/**
 * Runs what goes on by itself in the async context in which its owner was made. What a request happens to begin would
 * stay in that request's context as long as it goes on: its trace would never end, and nothing of it could be freed.
 */
export class Background {
  readonly #context = new AsyncResource('CONSUL_BACKGROUND')

  run<T> (work: () => T): T {
    return this.#context.runInAsyncScope(work)
  }
}
