/** Options on their way to being resolved: null-prototype objects, so that `__proto__` is a name like any other. */
export type OptionTree = Record<string, unknown>

/** Whether it is an object with named fields: no array, no Map, no URL. */
export function isRecord (value: unknown): value is Record<string, unknown> {
  return Object.prototype.toString.call(value) === '[object Object]'
}

/**
 * A copy down to where `sections` has fields; what lies below (loggers, checks, lists) is the caller's own. Each field
 * is read once. What is `undefined` is left out.
 */
export function copyOf (given: unknown, sections: unknown): unknown {
  if (!isRecord(given) || !isRecord(sections)) return given
  const copy: OptionTree = Object.create(null)
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined) copy[name] = copyOf(value, Object.hasOwn(sections, name) ? sections[name] : undefined)
  }
  return copy
}

/** What is given, and `base` where nothing is. */
export function overlay (base: unknown, given: unknown): unknown {
  if (!isRecord(base)) return given === undefined ? base : given
  if (given !== undefined && !isRecord(given)) return given
  const result: OptionTree = Object.assign(Object.create(null), given)
  for (const [name, value] of Object.entries(base)) result[name] = overlay(value, given?.[name])
  return result
}

/** The value at a path, or `undefined`. */
export function valueAt (tree: unknown, path: readonly unknown[]): unknown {
  return path.reduce((value: unknown, name) => {
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[String(name)] : undefined
  }, tree)
}

/** Sets a field if its section is absent or can take it. */
export function putAt (tree: OptionTree, [name, ...rest]: readonly string[], value: unknown): void {
  if (name === undefined) return
  if (rest.length === 0) {
    tree[name] = value
    return
  }
  const section = tree[name] ??= Object.create(null)
  if (isRecord(section)) putAt(section, rest, value)
}
