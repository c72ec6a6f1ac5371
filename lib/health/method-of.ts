/**
 * A method of an object whose type is not known, to be called on it; `undefined` if it has none of that name. Looked
 * up again at every call, as others may wrap it later.
 */
export function methodOf (target: unknown, name: string): ((...values: unknown[]) => unknown) | undefined {
  if ((typeof target !== 'object' && typeof target !== 'function') || target === null) return undefined
  if (typeof Reflect.get(target, name) !== 'function') return undefined
  return (...values) => Reflect.apply(Reflect.get(target, name), target, values)
}

/** What an argument is, without what is in it. */
export function kindOf (value: unknown): string {
  return value === null ? 'null' : typeof value
}

export function isThenable (value: unknown): boolean {
  return methodOf(value, 'then') !== undefined
}
