import {
  asAddress, asDuration, asFlag, asInteger, asList, asMap, asText, asUrlLists, type Environment, type Reader
} from './environment-values.ts'
import { InvalidOptionError } from '../errors.ts'
import type { VariableNames } from './error.ts'
import { isRecord, putAt, valueAt, type OptionTree } from './tree.ts'

/** Every variable, the option it stands for, and how it is read. Of two for one option the first goes before. */
export const variables: readonly (readonly [variable: string, option: string, read: Reader])[] = [
  ['CONSUL_URL', 'url', asAddress],
  ['CONSUL_HTTP_ADDR', 'url', asAddress],
  ['CONSUL_HTTP_SSL', 'url', (text, variable) => `${asFlag(text, variable) ? 'https' : 'http'}://127.0.0.1:8500`],
  ['CONSUL_TOKEN', 'token', asText],
  ['CONSUL_HTTP_TOKEN', 'token', asText],
  ['CONSUL_HTTP_TOKEN_FILE', 'tokenFile', asText],
  ['CONSUL_CACERT', 'tls.ca', asText],
  ['CONSUL_CLIENT_CERT', 'tls.cert', asText],
  ['CONSUL_CLIENT_KEY', 'tls.key', asText],
  ['CONSUL_TLS_SERVER_NAME', 'tls.servername', asText],
  ['CONSUL_HTTP_SSL_VERIFY', 'tls.rejectUnauthorized', asFlag],
  ['CONSUL_DATACENTER', 'datacenter', asText],
  ['CONSUL_NAMESPACE', 'namespace', asText],
  ['CONSUL_PARTITION', 'partition', asText],
  ['CONSUL_TIMEOUT', 'timeout', asDuration],
  ['CONSUL_MODE', 'mode', asText],
  ['CONSUL_FALLBACK', 'fallback', asUrlLists],
  ['SERVICE_NAME', 'service.name', asText],
  ['SERVICE_ID', 'service.id', asText],
  ['SERVICE_PORT', 'service.port', asInteger],
  ['SERVICE_ADDRESS', 'service.address', asText],
  ['SERVICE_TAGS', 'service.tags', asList],
  ['SERVICE_META', 'service.meta', asMap],
  ['CONSUL_CHECK_INTERVAL', 'check.interval', asDuration],
  ['CONSUL_CHECK_TIMEOUT', 'check.timeout', asDuration],
  ['CONSUL_CHECK_DEREGISTER_AFTER', 'check.deregisterAfter', asDuration],
  ['CONSUL_DRAIN_DELAY', 'drain.delay', asDuration]
]

/**
 * Puts what the environment says into `options` where they say nothing. An empty variable counts as not set.
 *
 * @returns the variables that were used, by option
 * @throws FST_CONSUL_INVALID_OPTION
 */
export function addEnvironment (options: OptionTree, environment: Environment): VariableNames {
  const names = new Map<string, string>()
  const decided = decidedBy(options)
  for (const [variable, option, read] of variables) {
    const text = environment[variable] ?? ''
    if (text === '' || names.has(option) || decided(option)) continue
    putAt(options, option.split('.'), read(text, variable, environment))
    names.set(option, variable)
  }
  return names
}

/**
 * `CONSUL_HTTP_AUTH`: `user:password` for a proxy in front of Consul.
 *
 * @throws FST_CONSUL_INVALID_OPTION
 */
export function basicAuthOf ({ CONSUL_HTTP_AUTH: auth = '' }: Environment): string | undefined {
  if (auth === '') return undefined
  if (/^[^:\p{Cc}]+:\P{Cc}*$/u.test(auth)) return auth
  throw new InvalidOptionError('CONSUL_HTTP_AUTH', 'user:password', 'a string (not shown)')
}

/** Tells which options the caller has decided: those given, what they are part of, and what they would contradict. */
function decidedBy (options: OptionTree): (option: string) => boolean {
  const given = new Set(variables.map(([, option]) => option)
    .filter(option => valueAt(options, option.split('.')) !== undefined))
  const plain = typeof options.url === 'string' && !/^https:/i.test(options.url)
  return option => {
    const [section = '', field] = option.split('.')
    return given.has(option) ||
      (option === 'token' && given.has('tokenFile')) ||
      (option === 'tokenFile' && given.has('token')) ||
      (section === 'tls' && plain) ||
      (field !== undefined && section in options && !isRecord(options[section]))
  }
}
