import { hostname as machineName } from 'node:os'
import { safeParse } from 'valibot'
import { addEnvironment, basicAuthOf } from './environment.ts'
import type { Environment } from './environment-values.ts'
import { InvalidOptionError } from '../errors.ts'
import { refuseConflicts } from './conflicts.ts'
import { defaults } from './defaults.ts'
import { errorOf, refusalOf, shown } from './error.ts'
import { readTls, tokenSourceOf } from './files.ts'
import { optionSchema, type ValidOptions } from './schema.ts'
import { copyOf, isRecord, overlay, putAt, valueAt, type OptionTree } from './tree.ts'
import type { ResolvedCheck, ResolvedOptions, ResolvedService } from './resolved.ts'

export { optionPaths } from './defaults.ts'

export interface ResolveContext {
  /** Default `process.env`. */
  environment?: Environment
  /** This machine's name, for the service id. */
  hostname?: string
  /** The arguments of a registry without Fastify: they are the service's, and its default check is `ttl`. */
  registry?: { name: unknown, port: unknown }
}

/** What Fastify itself takes from the options of a plugin. */
const fastifyOptions = ['prefix', 'logLevel', 'logSerializers']

/**
 * Explicit option, else environment, else default; validated and deeply frozen. The options given are not changed.
 *
 * @throws FST_CONSUL_INVALID_OPTION naming the option or the variable, what was expected and what came
 */
export function resolveOptions (options: unknown, context: ResolveContext = {}): ResolvedOptions {
  const { environment = process.env, hostname = machineName(), registry } = context
  const given = givenOptions(options, registry)
  const variables = addEnvironment(given, environment)
  const refuse = refusalOf(given, variables)
  const result = safeParse(optionSchema, overlay(defaults, given))
  if (!result.success) throw errorOf(result.issues, given, variables)
  const checkType = checkTypeOf(result.output, registry !== undefined)
  refuseConflicts(given, result.output, checkType, variables, refuse)

  const { url: address, token, tokenFile, tls, service, check, calls, drain, ...rest } = result.output
  return Object.freeze({
    ...rest,
    url: address.url,
    socketPath: address.socketPath,
    auth: address.auth ?? basicAuthOf(environment),
    token: tokenSourceOf(token, tokenFile, refuse),
    tls: readTls('tls', tls, refuse),
    service: serviceOf(service),
    check: Object.freeze({ ...check, type: checkType }),
    underPressure: rest.underPressure as ResolvedOptions['underPressure'],
    calls: Object.freeze({ ...calls, tls: readTls('calls.tls', calls.tls, refuse) }),
    drain: drainOf(drain),
    hostname
  })
}

/** The id given, else `name-host-port`: the same after a restart, another on each host and port. */
export function serviceIdOf (service: ResolvedService, hostname: string, port: number): string {
  return service.id ?? `${service.name}-${service.address ?? hostname}-${port}`
}

function givenOptions (options: unknown = {}, registry: ResolveContext['registry']): OptionTree {
  const given = copyOf(options, defaults)
  if (!isRecord(given)) throw new InvalidOptionError('options', 'an object', shown('options', options))
  if (registry === undefined) {
    for (const name of fastifyOptions) delete given[name]
    return given
  }
  if (given.service === false) throw new InvalidOptionError('service', 'an object in a registry', 'false')
  for (const [field, argument] of Object.entries(registry)) {
    if (argument === undefined) continue
    const option = `service.${field}`
    const other = valueAt(given, option.split('.')) ?? argument
    if (other !== argument) throw new InvalidOptionError(option, 'left out: it is an argument', shown(option, other))
    putAt(given, option.split('.'), argument)
  }
  return given
}

function checkTypeOf ({ check, health }: ValidOptions, withoutFastify: boolean): ResolvedCheck['type'] {
  if (check.type !== undefined) return check.type
  if (withoutFastify) return 'ttl'
  return health === false && check.path === undefined ? 'tcp' : 'http'
}

function serviceOf (service: ValidOptions['service']): ResolvedOptions['service'] {
  if (service === false) return false
  const { name, ...rest } = service
  return name === undefined ? undefined : Object.freeze({ ...rest, name })
}

function drainOf ({ delay, timeout = Math.max(2000, delay + 1750) }: ValidOptions['drain']): ResolvedOptions['drain'] {
  return Object.freeze({ delay: Math.min(delay, timeout), timeout })
}
