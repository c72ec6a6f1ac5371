/** What a helper needs of a tap test. */
export interface Teardown {
  teardown (fn: () => unknown): void
}
