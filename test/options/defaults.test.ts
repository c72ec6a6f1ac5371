import t from 'tap'
import { resolveOptions } from '../../lib/options/resolve.ts'

const resolve = (options: unknown) => resolveOptions(options, { environment: {}, hostname: 'host-1' })

t.test('without options and environment everything has its documented default', async t => {
  const noTls = {
    ca: undefined,
    cert: undefined,
    key: undefined,
    servername: undefined,
    rejectUnauthorized: true,
    files: { ca: undefined, cert: undefined, key: undefined }
  }
  t.same(resolve({}), {
    url: 'http://127.0.0.1:8500',
    socketPath: undefined,
    auth: undefined,
    token: undefined,
    tls: noTls,
    datacenter: undefined,
    namespace: undefined,
    partition: undefined,
    timeout: 5000,
    mode: 'hybrid',
    fallback: {},
    service: undefined,
    check: {
      type: 'http',
      path: undefined,
      interval: 10_000,
      timeout: 5000,
      deregisterAfter: 60_000,
      headers: {},
      tlsSkipVerify: false,
      successBeforePassing: 0,
      failuresBeforeCritical: 0
    },
    health: {
      readyPath: '/health/ready',
      livePath: '/health/live',
      checks: [],
      timeout: 800,
      cacheFor: 1000,
      details: 'status'
    },
    underPressure: { maxEventLoopDelay: 1000 },
    discovery: {
      preload: [],
      wait: 60_000,
      maxStale: undefined,
      idleAfter: 600_000,
      maxWatches: 64,
      consistency: 'stale',
      passingOnly: false
    },
    balancer: { strategy: 'round-robin', warningShare: 0.1 },
    calls: {
      timeout: 30_000,
      deadline: undefined,
      connectTimeout: 1000,
      retries: 2,
      retryBudget: { ratio: 0.2, perSecond: 10 },
      connections: 64,
      outlier: {
        consecutiveFailures: 5, successRate: 0.5, ejectionTime: 5000, maxEjectionTime: 300_000, maxEjected: 0.5
      },
      tls: noTls,
      allow: undefined
    },
    drain: { delay: 250, timeout: 2000 },
    logger: undefined,
    hostname: 'host-1'
  })
  t.same(resolve({ service: { name: 'a' } }).service, {
    name: 'a',
    id: undefined,
    port: 0,
    address: undefined,
    tags: [],
    meta: {},
    weights: undefined,
    enableTagOverride: false,
    taggedAddresses: {},
    registerOn: 'listening'
  })
})

t.test('what is derived follows the options that it is derived from', async t => {
  t.equal(resolve({ health: false }).check.type, 'tcp', 'there is no ready route to ask')
  t.equal(resolve({ health: false, check: { path: '/x' } }).check.type, 'http')
  t.same(resolve({ drain: { delay: 5000 } }).drain, { delay: 5000, timeout: 6750 }, 'the limit grows')
  t.same(resolve({ drain: { timeout: 100 } }).drain, { delay: 100, timeout: 100 }, 'the default gives way')
})
