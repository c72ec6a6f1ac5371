/**
 * A map of what was used last: the values of the last `size` keys, or of more, but never of more than twice as many.
 * Keys are in two generations, as that costs less at each look than an order of all.
 */
export class BoundedMap<K, V> {
  readonly #size: number
  #recent = new Map<K, V>()
  #older: Map<K, V> | undefined

  constructor (size: number) {
    this.#size = size
  }

  get (key: K): V | undefined {
    const value = this.#recent.get(key)
    if (value !== undefined) return value
    const older = this.#older?.get(key)
    if (older !== undefined) this.set(key, older)
    return older
  }

  set (key: K, value: V): void {
    if (this.#recent.size >= this.#size && !this.#recent.has(key)) {
      this.#older = this.#recent
      this.#recent = new Map()
    }
    this.#recent.set(key, value)
  }
}
