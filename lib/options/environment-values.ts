import { InvalidOptionError } from '../errors.ts'
import { shown } from './error.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads the text of a variable to what an option would be given; that is validated with the options.
 *
 * @throws FST_CONSUL_INVALID_OPTION for what is not of the variable's form
 */
export type Reader = (text: string, variable: string, environment: Environment) => unknown

export const asText: Reader = text => text

export function asFlag (text: string, variable: string): boolean {
  if (/^(?:1|true)$/i.test(text)) return true
  if (/^(?:0|false)$/i.test(text)) return false
  throw malformed(variable, '1, true, 0 or false', text)
}

export const asInteger: Reader = (text, variable) => {
  if (/^\d+$/.test(text)) return Number(text)
  throw malformed(variable, 'a whole number', text)
}

/** Digits alone are milliseconds. */
export const asDuration: Reader = text => /^\d+$/.test(text) ? Number(text) : text

/** An address may stand without a scheme, which `CONSUL_HTTP_SSL` then says. */
export const asAddress: Reader = (text, variable, { CONSUL_HTTP_SSL: ssl = '' }) => {
  const secure = ssl !== '' && asFlag(ssl, 'CONSUL_HTTP_SSL')
  if (!text.includes('://')) return `${secure ? 'https' : 'http'}://${text}`
  if (secure && /^http:/i.test(text)) throw malformed('CONSUL_HTTP_SSL', `false beside an http: ${variable}`, ssl)
  return text
}

/** A comma list or a JSON array. */
export const asList: Reader = (text, variable) => {
  if (text.trimStart().startsWith('[')) return parseJson(text, variable, 'a comma list or a JSON array')
  return text.split(',').map(item => item.trim()).filter(item => item !== '')
}

/** A `k=v,k=v` list or a JSON object. */
export const asMap: Reader = (text, variable) => {
  if (text.trimStart().startsWith('{')) return parseJson(text, variable, 'a list k=v,k=v or a JSON object')
  return pairsOf(text, variable, 'a list k=v,k=v or a JSON object')
}

/** `name=url|url,name=url` */
export const asUrlLists: Reader = (text, variable) => {
  const pairs = pairsOf(text, variable, 'a list name=url|url,name=url')
  for (const [name, urls] of Object.entries(pairs)) pairs[name] = String(urls).split('|').map(url => url.trim())
  return pairs
}

function pairsOf (text: string, variable: string, expected: string): Record<string, unknown> {
  const pairs: Record<string, unknown> = Object.create(null)
  for (const pair of text.split(',').filter(pair => pair.trim() !== '')) {
    const [, name, value] = /^\s*([^=]*?)\s*=\s*(.*?)\s*$/s.exec(pair) ?? []
    if (name === undefined || name === '') throw malformed(variable, expected, text)
    if (name in pairs) throw malformed(variable, `${expected} in which no name comes twice`, text)
    pairs[name] = value
  }
  return pairs
}

function parseJson (text: string, variable: string, expected: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw malformed(variable, expected, text)
  }
}

function malformed (variable: string, expected: string, text: string): Error {
  return new InvalidOptionError(variable, expected, shown(variable, text))
}
