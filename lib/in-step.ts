/**
 * Finds for one element after the other of a list its place in another list that has nearly the same order: next to
 * the place that was found last, else by key.
 *
 * @returns gives the index in `list` of what is the same; `undefined` if there is none
 */
export function placesIn<T> (
  list: readonly T[], isSame: (one: T, other: T) => boolean, keyOf: (one: T) => unknown
): (sought: T) => number | undefined {
  let next = 0
  let byKey: ReadonlyMap<unknown, number> | undefined

  function isAt (place: number, sought: T): boolean {
    return place < list.length && isSame(list[place] as T, sought)
  }

  function find (sought: T): number | undefined {
    if (isAt(next, sought)) return next
    if (isAt(next + 1, sought)) return next + 1
    byKey ??= new Map(list.map((element, place) => [keyOf(element), place]))
    return byKey.get(keyOf(sought))
  }

  return sought => {
    const place = find(sought)
    if (place !== undefined) next = place + 1
    return place
  }
}
