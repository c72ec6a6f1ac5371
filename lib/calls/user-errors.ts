/** What functions of the user's own have thrown. fetch gives such errors out as they are. */
const userErrors = new WeakSet<object>()

export function markUserError (error: unknown): void {
  if (typeof error === 'object' && error !== null) userErrors.add(error)
}

export function isUserError (error: unknown): boolean {
  return typeof error === 'object' && error !== null && userErrors.has(error)
}
