import type { ServiceInstance } from '../consul/instance.ts'

/**
 * How much of the calls an instance is to get. Consul's weight for its status; if both of its weights are the same,
 * they say nothing of `warning`, and such an instance gets `warningShare` of its weight.
 */
export function effectiveWeight ({ status, weights }: ServiceInstance, warningShare: number): number {
  if (status === 'passing') return weights.passing
  return weights.warning === weights.passing ? weights.warning * warningShare : weights.warning
}

/** The weights as numbers to calculate with: if all are 0, all count the same. */
export function positiveWeights (endpoints: readonly { readonly weight: number }[]): Float64Array {
  const weights = new Float64Array(endpoints.length)
  for (const [index, { weight }] of endpoints.entries()) weights[index] = weight
  return weights.some(weight => weight > 0) ? weights : weights.fill(1)
}
