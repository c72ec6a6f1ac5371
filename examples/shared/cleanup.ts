import type { Teardown } from '../../test/support/teardown.ts'

/** What has to be ended, ended in reverse order. */
export class Cleanup implements Teardown {
  readonly #steps: Array<() => unknown> = []

  teardown (step: () => unknown): void {
    this.#steps.push(step)
  }

  /** One that fails does not keep the others from it. */
  async run (): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step()
      } catch (error) {
        console.error(error)
      }
    }
  }
}
