import type { Clock, Random } from '../clock.ts'
import { parseDuration } from '../duration.ts'
import { badRequest } from './refusal.ts'
import type { Services } from './services.ts'

/** https://developer.hashicorp.com/consul/api-docs/features/blocking */
const defaultWait = 300_000
const longestWait = 600_000
/** So much is added at most, that not all answers come at once. */
const jitter = 1 / 16

const largestIndex = 2n ** 64n - 1n

export interface BlockingParts {
  readonly services: Services
  readonly clock: Clock
  readonly random: Random
}

/** How long a query waits, in milliseconds. */
export function waitOf (query: URLSearchParams): number {
  const given = query.get('wait') ?? ''
  const wait = given === '' ? 0 : parseDuration(given)
  if (wait === undefined) throw badRequest('Invalid wait time')
  return wait === 0 ? defaultWait : Math.min(wait, longestWait)
}

/** From which index on there is something new; 0: whatever there is. */
export function indexOf (query: URLSearchParams): bigint {
  const given = query.get('index') ?? ''
  if (given === '') return 0n
  const index = /^\d+$/.test(given) ? BigInt(given) : -1n
  if (index < 0n || index > largestIndex) throw badRequest('Invalid index')
  return index
}

/** Resolves when there is news, the time is over or whoever asked has gone. */
export async function untilNews (
  hasNews: () => boolean, wait: number, { services, clock, random }: BlockingParts, gone: AbortSignal
): Promise<void> {
  if (hasNews() || gone.aborted) return
  await new Promise<void>(resolve => {
    const stopListening = services.onChange(() => { if (hasNews()) end() })
    const stopWaiting = clock.after(wait * (1 + random() * jitter), end)
    gone.addEventListener('abort', end, { once: true })

    function end (): void {
      stopListening()
      stopWaiting()
      gone.removeEventListener('abort', end)
      resolve()
    }
  })
}
