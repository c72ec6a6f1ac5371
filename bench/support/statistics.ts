/** The value below which a share of the numbers lies. `share` from 0 to 1. */
export function quantile (numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((one, other) => one - other)
  const position = (sorted.length - 1) * share
  const below = sorted[Math.floor(position)] ?? NaN
  const above = sorted[Math.ceil(position)] ?? NaN
  return below + (above - below) * (position % 1)
}

export function median (numbers: readonly number[]): number {
  return quantile(numbers, 0.5)
}

/** The middle half of the numbers: what a repetition may be expected to give. */
export function spread (numbers: readonly number[]): readonly [number, number] {
  return [quantile(numbers, 0.25), quantile(numbers, 0.75)]
}

/** The same numbers in another order. */
export function shuffled<T> (list: readonly T[], random: () => number): T[] {
  const copy = [...list]
  for (let last = copy.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    ;[copy[last], copy[other]] = [copy[other] as T, copy[last] as T]
  }
  return copy
}
