import * as v from 'valibot'
import { parseDuration, type Duration } from '../duration.ts'
import { knownName } from './names.ts'
import { isName, nameRule } from '../name.ts'
import { isRecord } from './tree.ts'

/** The kinds of values that options have. The message of a rule is what was expected, as in "must be ...". */

/** Text that can stand in a URL and in a log line: not empty, without control characters and lone surrogates. */
export const plainText = v.pipe(v.string('a string'),
  v.regex(/^[^\p{Cc}\p{Cs}]+$/u, 'a string that is not empty and has no control characters'))

/** A name that becomes one segment of a URL's path. */
export const nameText = v.pipe(v.string('a string'), v.check(isName, `a string ${nameRule}`))

export const flag = v.boolean('true or false')

export const anyFunction = v.function('a function')

const record = v.custom<Record<string, unknown>>(isRecord, 'a plain object')

/** A section of options: no other name is known in it. */
export function section<const E extends v.ObjectEntries> (entries: E) {
  const message = (issue: v.StrictObjectIssue): string =>
    issue.expected === 'never' ? knownName(String(issue.input), Object.keys(entries)) : 'set'
  return v.pipe(record, v.strictObject(entries, message), v.transform(frozen))
}

/** What is also `false`: turned off. */
export function orFalse<const S extends v.GenericSchema> (schema: S) {
  return v.lazy(input => isRecord(input) ? schema : v.literal(false, 'false or a plain object')) as
    v.GenericSchema<unknown, v.InferOutput<S> | false>
}

export function oneOf<const T extends readonly (string | false)[]> (...values: T) {
  const expected = `one of ${values.map(value => JSON.stringify(value)).join(', ')}`
  return v.custom<T[number]>(input => values.includes(input as T[number]), expected)
}

/** An optional value without a default: `undefined` stays. */
export const maybe = v.undefinedable

export function wholeNumber (min: number, max: number) {
  const expected = `a whole number from ${min} to ${max}`
  return v.pipe(v.number(expected), v.integer(expected), v.minValue(min, expected), v.maxValue(max, expected))
}

export function numberBetween (min: number, max: number) {
  const expected = `a number from ${min} to ${max}`
  return v.pipe(v.number(expected), v.minValue(min, expected), v.maxValue(max, expected))
}

/** Node's timers hold up to 2^31 - 1 ms; a longer one would fire at once. */
const longestTimer = '596h'

/** Whole milliseconds. */
export function duration ({ min = '1ms', max = longestTimer } = {}) {
  const expected = `a duration from ${min} to ${max} (milliseconds, or a Go duration such as "1m30s")`
  return v.pipe(
    v.custom<Duration>(input => parseDuration(input) !== undefined, expected),
    v.transform(input => parseDuration(input)!),
    v.minValue(parseDuration(min)!, expected),
    v.maxValue(parseDuration(max)!, expected),
    v.transform(Math.round)
  )
}

export function list<const S extends v.GenericSchema> (item: S) {
  return v.pipe(v.array(item, 'an array'), v.transform(frozen))
}

/** One value, or a list of at least one. */
export function oneOrMore<const S extends v.GenericSchema<unknown, string>> (item: S) {
  return v.pipe(
    v.unknown(),
    v.transform(input => typeof input === 'string' ? [input] : input),
    v.array(item, 'a string or an array of strings'),
    v.minLength(1, 'a string or an array of at least one'),
    v.transform(frozen)
  )
}

/** A map from outside, as a null-prototype object: `constructor` and `__proto__` are names like any other. */
export function map<const S extends v.GenericSchema> (key: v.GenericSchema<unknown, string>, item: S) {
  return v.pipe(record, v.rawTransform(({ dataset, addIssue }) => {
    const result: Record<string, v.InferOutput<S>> = Object.create(null)
    for (const [name, value] of Object.entries(dataset.value)) {
      const at = { type: 'object', origin: 'value', input: dataset.value, key: name, value } as const
      const misnamed = v.safeParse(key, name).issues?.[0]
      if (misnamed !== undefined) addIssue({ message: misnamed.message, path: [{ ...at, origin: 'key' }] })
      const parsed = v.safeParse(item, value)
      if (parsed.success) result[name] = parsed.output
      for (const { message, expected, path = [] } of parsed.issues ?? []) {
        addIssue({ message, expected: expected ?? '', path: [at, ...path] })
      }
    }
    return Object.freeze(result)
  }))
}

/** The caller's own object, unchanged, if it has these fields, among others. */
export function like<T> (expected: string, entries: v.ObjectEntries) {
  const schema = v.object(entries, issue => issue.path === undefined ? expected : 'set')
  return v.pipe(v.custom<T>(() => true), v.rawCheck(({ dataset, addIssue }) => {
    const issue = v.safeParse(schema, dataset.value).issues?.[0]
    if (issue !== undefined) addIssue({ message: issue.message, ...(issue.path && { path: issue.path }) })
  }))
}

function frozen<T> (value: T): Readonly<T> {
  return Object.freeze(value)
}
