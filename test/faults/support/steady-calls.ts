import type { Dispatcher } from 'undici'
import type { Teardown } from '../../support/teardown.ts'

export interface CallTally {
  requests: number
  errors: number
  /** What the first of the errors was. */
  failure: string | undefined
}

export interface SteadyCalls {
  readonly tally: CallTally
  /** No further calls; resolves when the last one has ended. */
  end (): Promise<CallTally>
}

/** Calls at a steady rate, whether those before have been answered or not. */
export function startCalls (
  t: Teardown, perSecond: number, call: () => Promise<Dispatcher.ResponseData>
): SteadyCalls {
  const tally: CallTally = { requests: 0, errors: 0, failure: undefined }
  const running = new Set<Promise<void>>()
  const began = performance.now()
  const timer = setInterval(() => {
    while (tally.requests < (performance.now() - began) * perSecond / 1000) {
      tally.requests++
      const done = once().finally(() => running.delete(done))
      running.add(done)
    }
  }, 5)
  t.teardown(() => clearInterval(timer))

  async function once (): Promise<void> {
    try {
      const { statusCode, body } = await call()
      await body.dump()
      if (statusCode !== 200) throw new Error(`status ${statusCode}`)
    } catch (error) {
      tally.errors++
      tally.failure ??= error instanceof Error ? error.message : String(error)
    }
  }

  return {
    tally,
    async end () {
      clearInterval(timer)
      await Promise.all(running)
      return tally
    }
  }
}
