import type { Random } from '../clock.ts'
import type { Endpoint } from './endpoint.ts'

/** Up to so many are all looked at, which finds better places than two at random and still takes less than 200 ns. */
export const scanLimit = 64

/** Of those that were not tried, the one with the least; for the few picks that leave some out. */
export function leastUntried (
  endpoints: readonly Endpoint[], tried: readonly Endpoint[], measure: (endpoint: Endpoint) => number, random: Random
): Endpoint | undefined {
  const left = endpoints.filter(endpoint => !tried.includes(endpoint))
  const start = Math.floor(random() * left.length)
  let best = left[start]
  for (const endpoint of left) if (best !== undefined && measure(endpoint) < measure(best)) best = endpoint
  return best
}
