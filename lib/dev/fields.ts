import { parseDuration } from '../duration.ts'
import { badRequest, notSupported } from './refusal.ts'

/** The fields of a JSON object as Go reads them: names in any case, `null` as if it were not there. */
export class Fields {
  readonly #values = new Map<string, unknown>()

  /**
   * @param known the names that may be there
   * @param unsupported those of them that only a real Consul can do something with
   */
  constructor (value: unknown, known: readonly string[], unsupported: readonly string[] = []) {
    if (!isObject(value)) throw unreadable('cannot unmarshal into a Go value of type struct')
    for (const [key, content] of Object.entries(value)) {
      const name = key.toLowerCase()
      const is = (other: string): boolean => other.toLowerCase() === name
      if (unsupported.some(is)) throw notSupported(`The field ${key}`)
      if (!known.some(is)) throw unreadable(`json: unknown field "${key}"`)
      if (content !== null) this.#values.set(name, content)
    }
  }

  get (name: string): unknown {
    return this.#values.get(name.toLowerCase())
  }

  text (name: string): string {
    const value = this.get(name) ?? ''
    if (typeof value !== 'string') throw unreadable(mismatch(name, 'string'))
    return value
  }

  integer (name: string): number {
    const value = this.get(name) ?? 0
    if (typeof value !== 'number' || !Number.isInteger(value)) throw unreadable(mismatch(name, 'int'))
    return value
  }

  flag (name: string): boolean {
    const value = this.get(name) ?? false
    if (typeof value !== 'boolean') throw unreadable(mismatch(name, 'bool'))
    return value
  }

  /** Milliseconds. Consul takes a Go duration or nanoseconds. */
  duration (name: string): number {
    const value = this.get(name) ?? 0
    const ms = typeof value === 'number' ? value / 1e6 : value === '' ? 0 : parseDuration(value)
    if (ms === undefined) throw unreadable(`time: invalid duration ${JSON.stringify(value)}`)
    return ms
  }

  list (name: string): readonly unknown[] {
    const value = this.get(name) ?? []
    if (!Array.isArray(value)) throw unreadable(mismatch(name, '[]'))
    return value
  }

  texts (name: string): readonly string[] {
    return this.list(name).map(value => textIn(name, value))
  }

  /** Entries, so that no name can be one of an object's own. */
  entries (name: string): readonly (readonly [string, unknown])[] {
    const value = this.get(name) ?? {}
    if (!isObject(value)) throw unreadable(mismatch(name, 'map[string]'))
    return Object.entries(value)
  }
}

export function textIn (name: string, value: unknown): string {
  if (typeof value !== 'string') throw unreadable(mismatch(name, 'string'))
  return value
}

export const unreadable = (why: string): Error => badRequest(`Request decode failed: ${why}`)

const mismatch = (name: string, type: string): string => `json: cannot unmarshal into field .${name} of type ${type}`

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
