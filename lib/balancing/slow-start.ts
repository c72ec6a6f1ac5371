import type { Endpoint } from './endpoint.ts'

/** For how long a newcomer gets less than its share, where nothing but turns decides. Milliseconds. */
const slowStart = 10_000
/** Its least share of its share. Source: Envoy's slow start, `min_weight_percent` 10 %. */
const leastShare = 0.1

/**
 * Beside others that were there before, who was not is new. If all are, nobody is; nor if nobody has looked for so long
 * that they may have been there all the time.
 */
export function welcome (endpoints: readonly Endpoint[], lookedAt: number, now: number): void {
  const areNew = now - lookedAt < slowStart && endpoints.some(({ joinedAt }) => joinedAt !== undefined)
  for (const endpoint of endpoints) if (endpoint.joinedAt === undefined) endpoint.join(areNew ? now : -Infinity)
}

/** The share of its turns that an endpoint takes. 0.1 to 1. */
export function turnShareOf ({ joinedAt = -Infinity }: Endpoint, now: number): number {
  return Math.min(Math.max((now - joinedAt) / slowStart, leastShare), 1)
}

/** From then on all of them take all of theirs. */
export function slowStartEnd (endpoints: readonly Endpoint[]): number {
  return endpoints.reduce((last, { joinedAt = -Infinity }) => Math.max(last, joinedAt), -Infinity) + slowStart
}
