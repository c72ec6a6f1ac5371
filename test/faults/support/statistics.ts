/** The value below which the given share (0 to 1) of the values lies. */
export function quantile (values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other)
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? NaN
}

export const median = (values: readonly number[]): number => quantile(values, 0.5)

/** "12 ms, at most 15 ms". */
export function spreadOf (values: readonly number[]): string {
  return `${Math.round(median(values))} ms, at most ${Math.round(Math.max(...values))} ms`
}
