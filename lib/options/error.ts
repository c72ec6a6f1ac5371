import { inspect } from 'node:util'
import type { BaseIssue } from 'valibot'
import { InvalidOptionError } from '../errors.ts'
import { knownName } from './names.ts'
import { isRecord, valueAt } from './tree.ts'

/** The environment variable that an option came from, by the option's dotted path. */
export type VariableNames = ReadonlyMap<string, string>

/** Makes the error for an option, or for the variable that set it. `received` stands for the value given. */
export type Refusal = (option: string, expected: string, received?: string) => Error

/** Says "option must be expected, got value" of what was given, and never shows a secret. */
export function refusalOf (given: unknown, variables: VariableNames): Refusal {
  return (option, expected, received = shown(option, valueAt(given, option.split('.')))) =>
    new InvalidOptionError(displayName(option, variables), expected, received)
}

/** The error for the first thing that is wrong; a name that nobody knows goes before its consequences. */
export function errorOf (issues: readonly BaseIssue<unknown>[], given: unknown, variables: VariableNames): Error {
  const issue = issues.find(isUnknownName) ?? issues[0]
  const path = issue?.path?.map(item => String(item.key)) ?? []
  // One value may stand for a list: then it has no place in one.
  if (typeof valueAt(given, path.slice(0, -1)) === 'string') path.pop()
  const option = path.join('.')
  return new InvalidOptionError(
    option === '' ? 'options' : displayName(option, variables),
    issue?.message ?? 'valid',
    issue !== undefined && blamesName(issue) ? 'another name' : shown(option, valueAt(given, path)))
}

/** The error for a field that nobody knows of an object that comes with a call. */
export function unknownOption (section: string, name: string, known: readonly string[]): Error {
  return new InvalidOptionError(cut(`${section}.${name}`), knownName(name, known), 'another name')
}

function isUnknownName (issue: BaseIssue<unknown>): boolean {
  return issue.expected === 'never' && blamesName(issue)
}

/** Whether a field is wrong by its name and not by its value. */
function blamesName ({ path }: BaseIssue<unknown>): boolean {
  const field = path?.at(-1)
  return field?.origin === 'key' && field.value !== undefined
}

const secret = /^(?:token|(?:calls\.)?tls(?!\.(?:servername|rejectUnauthorized)$)|check\.headers)(?:\.|$)/

/** How a value stands in a message: short, and without what nobody else should read. */
export function shown (option: string, value: unknown): string {
  if (value === undefined || value === null) return String(value)
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'object') return isRecord(value) ? 'an object' : `an object (${tagOf(value)})`
  if (secret.test(option)) return `a ${typeof value} (not shown)`
  if (typeof value !== 'string') return inspect(value)
  return option === 'tokenFile' ? shownPath(value) : inspect(cut(withoutCredentials(value)))
}

/** A path as it may be shown: what does not look like one may be the secret itself in the wrong place. */
export function shownPath (text: string): string {
  return /^\/|\./.test(text) && !/\s/.test(text) ? inspect(cut(text)) : 'a string (not shown)'
}

/** `Map`, `Date` and so on. */
function tagOf (value: object): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1)
}

function displayName (option: string, variables: VariableNames): string {
  for (let path = option; path !== ''; path = path.slice(0, Math.max(0, path.lastIndexOf('.')))) {
    const variable = variables.get(path)
    if (variable !== undefined) return variable
  }
  return option.startsWith('check.headers.') ? 'check.headers' : cut(withoutCredentials(option))
}

/** Hides `user:password@`, of several URLs and of malformed ones too (up to the last @), and a URL's query. */
function withoutCredentials (text: string): string {
  return text
    .replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, (_, scheme: string | undefined) => `${scheme ?? ''}***@`)
    .replace(/(:\/\/[^?]*\?).*$/s, '$1***')
}

function cut (text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}
