/** Turns are moved back towards 0 once they get beyond this: far below where adding an interval becomes inexact. */
const horizon = 2 ** 20

/** Who is due next, of many that each come back after an interval of their own: a binary heap over typed arrays. */
export class Schedule {
  readonly #intervals: Float64Array
  /** When each is due, by index. */
  readonly #due: Float64Array
  /** The indices, the one due first on top. */
  readonly #heap: Uint32Array

  constructor (intervals: Float64Array, due: Float64Array) {
    this.#intervals = intervals
    this.#due = due
    this.#heap = new Uint32Array(due.length).map((_, index) => index)
    for (let position = due.length >>> 1; position-- > 0;) this.#sink(position, position, due[position] as number)
  }

  /** The index of the one that is due first; its next turn is one interval later. */
  next (): number {
    return this.#take(0)
  }

  /** The same for the one that is due first of those that are not `skipped`; `undefined` if there is none. */
  nextExcept (skipped: (index: number) => boolean): number | undefined {
    const first = this.#firstExcept(skipped, 0)
    return first === undefined ? undefined : this.#take(first)
  }

  /** How long until the turn of `index`, as a share of its interval. */
  waitOf (index: number): number {
    const now = this.#due[this.#heap[0] as number] as number
    return (this.#due[index] as number - now) / (this.#intervals[index] as number)
  }

  /** Its position, at or below the given one. Whoever stands below another is due later: few are looked at. */
  #firstExcept (skipped: (index: number) => boolean, position: number): number | undefined {
    const heap = this.#heap
    if (position >= heap.length) return undefined
    if (!skipped(heap[position] as number)) return position
    const left = this.#firstExcept(skipped, 2 * position + 1)
    const right = this.#firstExcept(skipped, 2 * position + 2)
    if (left === undefined || right === undefined) return left ?? right
    return this.#before(heap[right] as number, heap[left] as number) ? right : left
  }

  #take (position: number): number {
    const index = this.#heap[position] as number
    const due = this.#due[index] as number + (this.#intervals[index] as number)
    this.#due[index] = due
    this.#sink(position, index, due)
    if (due > horizon) this.#moveBack()
    return index
  }

  /** Of two that are due together the lower index comes first: with equal intervals the order never changes. */
  #before (one: number, other: number): boolean {
    const difference = this.#due[one] as number - (this.#due[other] as number)
    return difference < 0 || (difference === 0 && one < other)
  }

  #sink (from: number, index: number, due: number): void {
    const heap = this.#heap
    const dues = this.#due
    const last = heap.length - 1
    let position = from
    for (;;) {
      let child = 2 * position + 1
      if (child > last) break
      if (child < last && this.#before(heap[child + 1] as number, heap[child] as number)) child++
      const below = heap[child] as number
      const belowDue = dues[below] as number
      if (due < belowDue || (due === belowDue && index < below)) break
      heap[position] = below
      position = child
    }
    heap[position] = index
  }

  /** By a whole number, which changes no digit of what is left. */
  #moveBack (): void {
    const now = Math.floor(this.#due[this.#heap[0] as number] as number)
    for (let index = 0; index < this.#due.length; index++) this.#due[index] = this.#due[index] as number - now
  }
}
