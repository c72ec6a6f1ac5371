/** Real agents have written a few things of their own before anyone else does. */
const first = 10

/** What a service is known by: its name in any case. */
export const keyOf = (name: string): string => name.toLowerCase()

/**
 * The number of the last change, of each service by itself. A name that nobody has shares the number of the last time
 * that a name lost its last instance; before that has ever happened, the number of any change.
 *
 * Source: `maxIndexForService` in https://github.com/hashicorp/consul/blob/main/agent/consul/state/catalog.go
 */
export class Indexes {
  #last = first
  #extinction: number | undefined
  #catalog = first
  readonly #services = new Map<string, number>()

  of (name: string): number {
    return this.#services.get(keyOf(name)) ?? this.#extinction ?? this.#last
  }

  /** Of the list of all names and their tags. */
  get catalog (): number {
    return this.#catalog
  }

  /** A check of it has changed. */
  touch (name: string): void {
    this.#services.set(keyOf(name), ++this.#last)
  }

  /** One of its instances came, went or was defined anew. */
  define (name: string): void {
    this.touch(name)
    this.#catalog = this.#last
  }

  /** Its last instance went. */
  forget (name: string): void {
    this.#services.delete(keyOf(name))
    this.#extinction = this.#catalog = ++this.#last
  }
}
