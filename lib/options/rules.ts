import { validateHeaderName, validateHeaderValue } from 'node:http'
import { isIP } from 'node:net'
import { domainToUnicode } from 'node:url'
import * as v from 'valibot'
import { parseConsulUrl, parseOrigin } from './consul-url.ts'
import type { Logger } from '../logger.ts'
import type { StrategyFunction, StrategyName } from './call-options.ts'
import type { HealthCheck, MetricsRegister } from './types.ts'
import { isRecord } from './tree.ts'
import { anyFunction, duration, flag, like, map, nameText, plainText, wholeNumber } from './values.ts'

/** What single options must be, where that is a matter of Consul, HTTP or Fastify. */

export const consulUrl = v.pipe(
  v.string('a URL'),
  v.check(text => parseConsulUrl(text) !== undefined,
    'a URL: http://, https:// or unix:///absolute/path, without query'),
  v.transform(text => parseConsulUrl(text)!))

/** The address of an instance: it has no place for a path or for credentials. */
export const origin = v.pipe(
  v.string('a URL'),
  v.check(text => parseOrigin(text) !== undefined, 'a URL of the form http(s)://host:port, and no more'),
  v.transform(text => parseOrigin(text)!))

const tokenKinds = 'a token of printable characters without spaces, or a function'
export const token = v.union([
  v.pipe(v.string(tokenKinds), v.regex(/^[\x21-\x7e]+$/, tokenKinds)),
  v.custom<() => string | Promise<string>>(input => typeof input === 'function', tokenKinds)
], tokenKinds)

export const pem = v.pipe(v.string('PEM text or the path of a PEM file'),
  v.nonEmpty('PEM text or the path of a PEM file'))

/** Consul answers 400 to 0.0.0.0 and ::, and nobody can call them. */
export const address = v.pipe(
  v.string('a string'),
  v.check(text => isIP(text) !== 0 ? !text.includes('%') : /^[^\s:/?#@%[\]\\\p{Cc}]+$/u.test(text),
    'a host name or an IP address, without scheme, port and brackets'),
  v.check(text => !isUnspecified(text), 'an address that others can reach, not one that means "any"'))

export const port = wholeNumber(0, 65535)

const metaKey = v.pipe(v.string(), v.regex(/^(?!consul-)[a-zA-Z0-9_-]{1,128}$/,
  'named with 1 to 128 of a-z A-Z 0-9 _ - and not begin with "consul-"'))
const metaValue = v.pipe(v.string('a string'), v.maxLength(512, 'a string of at most 512 characters'))

/** Consul's limits. Source: `ValidateServiceMetadata` in agent/structs. */
export const meta = v.pipe(map(metaKey, metaValue),
  v.check(pairs => Object.keys(pairs).length <= 64, 'an object of at most 64 pairs'))

export const headerName = v.pipe(v.string(), v.check(passes(validateHeaderName), 'named as a header may be'))
export const headerValue = v.pipe(v.string('a string'),
  v.check(passes(text => validateHeaderValue('x', text)), 'a string that a header may hold'))

export const checkPath = v.pipe(v.string('a path'), v.regex(/^\/[^\s#]*$/, 'a path that begins with "/"'))
export const routePath = v.pipe(v.string('a path'),
  v.regex(/^\/[^\s?#:*]*$/, 'a path that begins with "/" and has no parameters'))

/** `Infinity`: no limit of the whole, as `allOf()` and `anyOf()` have it. */
const limit = v.lazy(input => input === Infinity ? v.literal(Infinity) : duration())

export const healthCheck = like<HealthCheck>('a health check: an object with name and run', {
  name: plainText,
  critical: v.optional(flag),
  timeout: v.optional(limit),
  run: anyFunction
})

export const statusRoute = v.custom<boolean | string | object>(
  input => typeof input === 'boolean' || typeof input === 'string' || isRecord(input),
  'true, false, a path or a plain object')

const strategies: readonly unknown[] = [
  'round-robin', 'random', 'first', 'least-request', 'peak-ewma', 'consistent-hash'
] satisfies StrategyName[]
export const strategy = v.custom<StrategyName | StrategyFunction>(
  input => strategies.includes(input) || typeof input === 'function',
  `one of ${strategies.map(name => JSON.stringify(name)).join(', ')} or a function`)

/** A service that a URL can name: one label of a host. */
export const calledName = v.pipe(nameText, v.check(isHostLabel,
  'the name of one service as it stands in a URL: without dots, spaces and "*"'))

export const logger = like<Logger>('a logger: an object with trace, debug, info, warn and error', {
  trace: anyFunction, debug: anyFunction, info: anyFunction, warn: anyFunction, error: anyFunction
})

export const metricsRegister = like<MetricsRegister>('a Registry of prom-client', {
  registerMetric: anyFunction, getSingleMetric: anyFunction
})

function isHostLabel (name: string): boolean {
  const url = `http://${name}.service.consul/`
  if (/[.*]/.test(name) || !URL.canParse(url)) return false
  return domainToUnicode(new URL(url).hostname) === `${name.toLowerCase().normalize()}.service.consul`
}

function isUnspecified (text: string): boolean {
  return isIP(text) !== 0 && /^(?:[0:]*:ffff:)?[0:.]+$/i.test(text)
}

function passes (validate: (text: string) => void): (text: string) => boolean {
  return text => {
    try {
      validate(text)
      return true
    } catch {
      return false
    }
  }
}
