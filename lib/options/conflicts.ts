import type { Refusal, VariableNames } from './error.ts'
import type { ValidOptions } from './schema.ts'
import { isRecord, valueAt, type OptionTree } from './tree.ts'
import type { ResolvedCheck } from './resolved.ts'

/** Whether it is so, which option is to blame, and what it must be instead. */
type Conflict = [found: boolean, option: string, expected: string]

/** The fields of `check` that mean nothing to a check of that type. */
const meaningless: Readonly<Record<ResolvedCheck['type'], readonly string[]>> = {
  http: [],
  tcp: ['path', 'headers', 'tlsSkipVerify'],
  grpc: ['path', 'headers'],
  ttl: ['path', 'headers', 'tlsSkipVerify', 'timeout']
}

const tlsToConsul = ['tls.ca', 'tls.cert', 'tls.key', 'tls.servername']

/** The first is of no use without the second. */
const needed = [
  ['tls.cert', 'tls.key'], ['tls.key', 'tls.cert'],
  ['calls.tls.cert', 'calls.tls.key'], ['calls.tls.key', 'calls.tls.cert'],
  ['underPressure.healthCheck', 'underPressure.healthCheckInterval']
] as const

/**
 * Refuses options that are right by themselves and contradict each other.
 *
 * @param given what the caller and the environment say, without defaults
 * @param options the same with every default
 */
export function refuseConflicts (
  given: OptionTree, options: ValidOptions, checkType: ResolvedCheck['type'], variables: VariableNames, refuse: Refusal
): void {
  const has = (option: string): boolean => valueAt(given, option.split('.')) !== undefined
  const byCaller = (option: string): boolean => has(option) && !variables.has(option)
  const named = (option: string): string => variables.get(option) ?? option
  const { url, tls, service, check, health, calls: { outlier }, drain } = options
  const isHttps = url.url.startsWith('https:')
  const registers = service !== false && service.name !== undefined
  // Consul's check would give up on an answer that still says healthy.
  const outlasts = registers && health !== false && checkType === 'http' && check.path === undefined &&
    health.timeout >= check.timeout
  const isTooLong = outlier !== false && outlier.ejectionTime > outlier.maxEjectionTime

  const conflicts: Conflict[] = [
    [has('token') && has('tokenFile'), 'tokenFile', `left out beside ${named('token')}`],
    ...tlsToConsul.map((option): Conflict =>
      [has(option) && !isHttps, option, `left out unless ${named('url')} is https:`]),
    [!tls.rejectUnauthorized && !isHttps, 'tls.rejectUnauthorized', `true unless ${named('url')} is https:`],
    ...needed.map(([one, other]): Conflict => [has(one) && !has(other), other, `set beside ${named(one)}`]),
    [registers && service.registerOn === 'ready' && service.port === 0,
      'service.port', 'set when service.registerOn is "ready"'],
    [registers && health === false && checkType === 'http' && check.path === undefined,
      'check.path', 'set for an http check when health is false'],
    [service === false && Object.keys(given.check ?? {}).some(field => byCaller(`check.${field}`)),
      'check', 'left out when service is false'],
    ...meaningless[checkType].map((field): Conflict =>
      [byCaller(`check.${field}`), `check.${field}`, `left out for a ${checkType} check`]),
    [health === false && isRecord(given.underPressure), 'underPressure', 'left out when health is false'],
    [health !== false && health.readyPath === health.livePath, 'health.livePath', 'another path than health.readyPath'],
    [outlasts && has('health.timeout'), 'health.timeout', `less than ${named('check.timeout')} (${check.timeout} ms)`],
    [outlasts && has('check.timeout'), 'check.timeout', `more than health.timeout (${health && health.timeout} ms)`],
    [isTooLong && has('calls.outlier.maxEjectionTime'),
      'calls.outlier.maxEjectionTime', `at least calls.outlier.ejectionTime (${outlier && outlier.ejectionTime} ms)`],
    [isTooLong, 'calls.outlier.ejectionTime',
      `at most calls.outlier.maxEjectionTime (${outlier && outlier.maxEjectionTime} ms)`],
    [has('drain.delay') && drain.delay > (drain.timeout ?? Infinity), 'drain.delay', 'at most drain.timeout']
  ]
  for (const [found, option, expected] of conflicts) {
    if (found) throw refuse(option, expected)
  }
}
