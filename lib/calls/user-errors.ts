/** What functions of the user's own have thrown. fetch gives such errors out as they are. */
const userErrors = new WeakSet<Error>()

/** What such a function has thrown, as an error: of `undefined` and the like undici would see none. */
export function userErrorOf (thrown: unknown): Error {
  const error = thrown instanceof Error ? thrown : new Error(`The strategy has thrown ${String(thrown)}`)
  userErrors.add(error)
  return error
}

export function isUserError (error: unknown): boolean {
  return error instanceof Error && userErrors.has(error)
}
