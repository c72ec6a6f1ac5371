/** One run at a time for each key: whoever wants the same meanwhile shares it. */
export class SingleFlight<K> {
  readonly #running = new Map<K, Promise<void>>()

  run (key: K, work: () => Promise<void>): Promise<void> {
    const running = this.#running.get(key)
    if (running !== undefined) return running
    const flight = work().finally(() => this.#running.delete(key))
    this.#running.set(key, flight)
    return flight
  }
}
