import { InvalidNameError, InvalidOptionError } from '../errors.ts'
import { shown, unknownOption } from '../options/error.ts'
import { isRecord } from '../options/tree.ts'
import type { DiscoverQuery } from './source.ts'

type Rule = readonly [expected: string, holds: (value: unknown) => boolean]

const text: Rule = ['a string that is not empty', isText]

const rules: { readonly [K in keyof DiscoverQuery]-?: Rule } = {
  tag: text,
  tags: ['an array of strings that are not empty', value => Array.isArray(value) && value.every(isText)],
  datacenter: text,
  filter: text,
  passingOnly: ['true or false', value => typeof value === 'boolean'],
  near: text
}

/**
 * Refuses what is no question for a service's instances. Which names there can be is not looked at here.
 *
 * @throws FST_CONSUL_INVALID_NAME
 * @throws FST_CONSUL_INVALID_OPTION
 */
export function checkQuestion (name: unknown, query: unknown): void {
  checkName(name)
  if (query === undefined) return
  if (!isRecord(query)) throw new InvalidOptionError('query', 'a plain object', shown('query', query))
  for (const field of Object.keys(query)) checkField(field, query[field])
}

/** @throws FST_CONSUL_INVALID_NAME for what is no string */
export function checkName (name: unknown): void {
  if (typeof name !== 'string') throw new InvalidNameError(shown('name', name))
}

function checkField (field: string, value: unknown): void {
  if (!isField(field)) throw unknownOption('query', field, Object.keys(rules))
  const [expected, holds] = rules[field]
  if (value !== undefined && !holds(value)) {
    throw new InvalidOptionError(`query.${field}`, expected, shown(`query.${field}`, value))
  }
}

function isField (field: string): field is keyof DiscoverQuery {
  return Object.hasOwn(rules, field)
}

function isText (value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}
