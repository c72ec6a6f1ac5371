/** Handlers of the callers' own may throw: the process hears of it, and the others are not kept from theirs. */
export function guarded<T> (run: () => T): T | undefined {
  try {
    return run()
  } catch (error) {
    queueMicrotask(() => { throw error })
  }
}
