import * as v from 'valibot'
import {
  address, calledName, checkPath, consulUrl, headerName, headerValue, healthCheck, logger, meta, metricsRegister,
  origin, pem, port, routePath, statusRoute, strategy, token
} from './rules.ts'
import {
  anyFunction, duration, flag, list, map, maybe, nameText, numberBetween, oneOf, oneOrMore, orFalse, plainText, section,
  wholeNumber
} from './values.ts'

const tls = section({
  ca: maybe(pem),
  cert: maybe(pem),
  key: maybe(pem),
  servername: maybe(plainText),
  rejectUnauthorized: flag
})

const service = section({
  name: maybe(nameText),
  id: maybe(nameText),
  port,
  address: maybe(address),
  tags: list(plainText),
  meta,
  // Consul's bounds: agent/structs/structs.go, ValidateWeights
  weights: maybe(section({
    passing: v.optional(wholeNumber(1, 65535), 1),
    warning: v.optional(wholeNumber(0, 65535), 1)
  })),
  enableTagOverride: flag,
  taggedAddresses: map(plainText, section({ address, port: v.optional(port) })),
  registerOn: oneOf('listening', 'ready')
})

const check = section({
  type: maybe(oneOf('http', 'tcp', 'grpc', 'ttl')),
  path: maybe(checkPath),
  interval: duration({ min: '1s' }),
  timeout: duration(),
  deregisterAfter: duration({ min: '1m' }),
  headers: map(headerName, oneOrMore(headerValue)),
  tlsSkipVerify: flag,
  successBeforePassing: wholeNumber(0, 65535),
  failuresBeforeCritical: wholeNumber(0, 65535)
})

const health = section({
  readyPath: routePath,
  livePath: routePath,
  checks: list(healthCheck),
  timeout: duration(),
  cacheFor: duration({ min: '0s' }),
  details: oneOf('status', 'full', false)
})

const amount = numberBetween(0, Number.MAX_SAFE_INTEGER)
// In milliseconds; beyond this Node's timers fire at once.
const sampling = wholeNumber(1, 2 ** 31 - 1)

// the options of @fastify/under-pressure 9
const underPressure = section({
  maxEventLoopDelay: amount,
  maxEventLoopUtilization: v.optional(amount),
  eventLoopUtilizationMode: v.optional(oneOf('cumulative', 'interval')),
  maxHeapUsedBytes: v.optional(amount),
  maxRssBytes: v.optional(amount),
  message: v.optional(v.string('a string')),
  retryAfter: v.optional(amount),
  healthCheck: v.optional(anyFunction),
  healthCheckInterval: v.optional(sampling),
  pressureHandler: v.optional(anyFunction),
  sampleInterval: v.optional(sampling),
  exposeStatusRoute: v.optional(statusRoute),
  customError: v.optional(anyFunction)
})

const discovery = section({
  preload: list(nameText),
  wait: duration({ max: '10m' }),
  maxStale: maybe(duration()),
  idleAfter: duration(),
  maxWatches: wholeNumber(1, 65535),
  consistency: oneOf('stale', 'default', 'consistent'),
  passingOnly: flag
})

const balancer = section({
  strategy,
  warningShare: numberBetween(0, 1)
})

const calls = section({
  timeout: duration(),
  deadline: maybe(duration()),
  connectTimeout: duration(),
  retries: wholeNumber(0, 100),
  // the upper bounds are Tower's, beyond which a budget is none
  retryBudget: section({ ratio: numberBetween(0, 1000), perSecond: numberBetween(0, 1_000_000) }),
  connections: wholeNumber(1, 65535),
  outlier: orFalse(section({
    consecutiveFailures: wholeNumber(1, 1_000_000),
    successRate: numberBetween(0, 1),
    ejectionTime: duration(),
    maxEjectionTime: duration(),
    maxEjected: numberBetween(0, 1)
  })),
  tls,
  allow: maybe(list(calledName))
})

/** The options with every default put in; its output has durations in milliseconds and is frozen. */
export const optionSchema = section({
  url: consulUrl,
  token: maybe(token),
  tokenFile: maybe(plainText),
  tls,
  datacenter: maybe(plainText),
  namespace: maybe(plainText),
  partition: maybe(plainText),
  timeout: duration(),
  mode: oneOf('static', 'register', 'hybrid', 'full'),
  fallback: map(nameText, oneOrMore(origin)),
  service: orFalse(service),
  check,
  health: orFalse(health),
  underPressure: orFalse(underPressure),
  discovery,
  balancer,
  calls,
  drain: section({ delay: duration({ min: '0s' }), timeout: maybe(duration({ min: '0s' })) }),
  metrics: orFalse(section({ register: metricsRegister })),
  logger: maybe(logger)
})

export type ValidOptions = v.InferOutput<typeof optionSchema>
