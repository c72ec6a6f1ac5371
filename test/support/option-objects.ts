/** `nested('drain.delay', 5, { mode: 'full' })` is `{ mode: 'full', drain: { delay: 5 } }`. */
export function nested (path: string, value: unknown, beside: object = {}): Record<string, unknown> {
  const [name = '', ...rest] = path.split('.')
  const fields = beside as Record<string, object | undefined>
  return { ...fields, [name]: rest.length === 0 ? value : nested(rest.join('.'), value, fields[name]) }
}

/** The value at a dotted path. */
export function pick (object: unknown, path: string): unknown {
  return path.split('.').reduce((value: unknown, name) => (value as Record<string, unknown>)[name], object)
}

/** Freezes an object with everything in it. */
export function deepFreeze<T> (value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(deepFreeze)
  return Object.freeze(value)
}
