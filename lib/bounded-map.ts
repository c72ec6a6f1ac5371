/**
 * A map of what was used last: the values of the last `size` keys, or of more, but never of more than twice as many.
 * Keys are in two generations, as that costs less at each look than an order of all. A key is the one that was set: one
 * that is looked for may be a part of a long text, which would be kept with it.
 */
export class BoundedMap<K, V> {
  readonly #size: number
  #recent = new Map<K, Entry<K, V>>()
  #older: Map<K, Entry<K, V>> | undefined
  #generation = 0

  constructor (size: number) {
    this.#size = size
  }

  /** Another number whenever some were forgotten. What is asked for in every generation is not. */
  get generation (): number { return this.#generation }

  get (key: K): V | undefined {
    const entry = this.#recent.get(key)
    if (entry !== undefined) return entry.value
    const older = this.#older?.get(key)
    if (older !== undefined) this.#put(older)
    return older?.value
  }

  set (key: K, value: V): void {
    this.#put({ key, value })
  }

  #put (entry: Entry<K, V>): void {
    if (this.#recent.size >= this.#size && !this.#recent.has(entry.key)) {
      this.#older = this.#recent
      this.#recent = new Map()
      this.#generation++
    }
    this.#recent.set(entry.key, entry)
  }
}

interface Entry<K, V> {
  readonly key: K
  readonly value: V
}
