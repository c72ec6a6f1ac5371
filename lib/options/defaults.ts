/**
 * Every option that there is, with its default as a caller would write it. `undefined`: absent, or derived from
 * others when the options are resolved.
 */
export const defaults = {
  url: 'http://127.0.0.1:8500',
  token: undefined,
  tokenFile: undefined,
  tls: { ca: undefined, cert: undefined, key: undefined, servername: undefined, rejectUnauthorized: true },
  datacenter: undefined,
  namespace: undefined,
  partition: undefined,
  timeout: '5s',
  mode: 'hybrid',
  fallback: {},
  service: {
    name: undefined,
    id: undefined,
    port: 0,
    address: undefined,
    tags: [],
    meta: {},
    weights: undefined,
    enableTagOverride: false,
    taggedAddresses: {},
    registerOn: 'listening'
  },
  check: {
    type: undefined,
    path: undefined,
    interval: '10s',
    timeout: '5s',
    deregisterAfter: '1m',
    headers: {},
    tlsSkipVerify: false,
    successBeforePassing: 0,
    failuresBeforeCritical: 0
  },
  health: {
    readyPath: '/health/ready',
    livePath: '/health/live',
    checks: [],
    timeout: '800ms',
    cacheFor: '1s',
    details: 'status'
  },
  underPressure: { maxEventLoopDelay: 1000 },
  discovery: {
    preload: [],
    wait: '60s',
    maxStale: undefined,
    idleAfter: '10m',
    maxWatches: 64,
    consistency: 'stale',
    passingOnly: false
  },
  balancer: { strategy: 'round-robin', warningShare: 0.1 },
  calls: {
    timeout: '30s',
    deadline: undefined,
    connectTimeout: '1s',
    retries: 2,
    retryBudget: { ratio: 0.2, perSecond: 10 },
    connections: 64,
    outlier: {
      consecutiveFailures: 5,
      successRate: 0.5,
      ejectionTime: '5s',
      maxEjectionTime: '5m',
      maxEjected: 0.5
    },
    tls: { ca: undefined, cert: undefined, key: undefined, servername: undefined, rejectUnauthorized: true },
    allow: undefined
  },
  drain: { delay: '250ms', timeout: undefined },
  metrics: false,
  logger: undefined
}

/** Every option by its dotted path, `drain.delay` for one. */
export const optionPaths: readonly string[] = Object.freeze(pathsOf(defaults))

function pathsOf (options: object): string[] {
  return Object.entries(options).flatMap(([name, value]) => {
    const below = value !== null && typeof value === 'object' && !Array.isArray(value) ? pathsOf(value) : []
    return below.length === 0 ? name : below.map(path => `${name}.${path}`)
  })
}
