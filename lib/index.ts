import fp from 'fastify-plugin'
import { ConsulClient } from './consul/client.ts'
import { ServiceInstance } from './consul/instance.ts'
import { createServiceRegistry } from './create-service-registry.ts'
import * as errors from './errors.ts'
import { allOf, anyOf, optional } from './health/combine.ts'
import { databaseCheck } from './health/database-check.ts'
import { httpCheck } from './health/http-check.ts'
import { HealthCheckManager } from './health/manager.ts'
import { pressureCheck } from './health/pressure-check.ts'
import { redisCheck } from './health/redis-check.ts'
import { serviceCheck } from './health/service-check.ts'
import { setupHealthChecks } from './health/setup.ts'
import { consulPlugin } from './plugin.ts'
import { registerWithConsul } from './register-with-consul.ts'
import { ServiceRegistry } from './registry.ts'

const plugin = Object.assign(fp(consulPlugin, { fastify: '5.x', name: 'fastify-consul' }), {
  ConsulClient,
  HealthCheckManager,
  ServiceInstance,
  ServiceRegistry,
  allOf,
  anyOf,
  createServiceRegistry,
  databaseCheck,
  errors,
  httpCheck,
  optional,
  pressureCheck,
  redisCheck,
  registerWithConsul,
  serviceCheck,
  setupHealthChecks
})

/** The plugin: `await app.register(fastifyConsul, options)`. `require()` gives it with every named export attached. */
const fastifyConsul = Object.assign(plugin, { default: plugin, fastifyConsul: plugin })

export {
  fastifyConsul as default,
  fastifyConsul as 'module.exports',
  fastifyConsul,
  ConsulClient,
  HealthCheckManager,
  ServiceInstance,
  ServiceRegistry,
  allOf,
  anyOf,
  createServiceRegistry,
  databaseCheck,
  errors,
  httpCheck,
  optional,
  pressureCheck,
  redisCheck,
  registerWithConsul,
  serviceCheck,
  setupHealthChecks
}

export type { Ejection } from './balancing/outlier.ts'
export type { Outcome } from './balancing/outcome.ts'
export type { BalanceOptions } from './calls/balance.ts'
export type { PickOptions } from './calls/calls.ts'
export type {
  AttemptMessage, EjectionMessage, EndMessage, PickMessage, RetryMessage, ReturnMessage
} from './calls/events.ts'
export type { Fetch, FetchInit } from './calls/fetch.ts'
export type { CallRequest, CallRequestOptions } from './calls/request.ts'
export type { ClientOptions } from './consul/client.ts'
export type { ProxyDefinition, UpstreamDefinition } from './consul/mesh-definition.ts'
export type { CallOptions, HealthQuery, ReadOptions } from './consul/query.ts'
export type { CheckDefinition, ConnectDefinition, ServiceDefinition } from './consul/service-definition.ts'
export type { BlockingOptions } from './consul/wait.ts'
export type {
  Answer, CheckStatus, Right, WireAgentSelf, WireCheck, WireHealthEntry, WireService
} from './consul/wire.ts'
export type { ConsulServices, ServiceName } from './declared-services.ts'
export type { DiscoverQuery } from './discovery/source.ts'
export type { CheckResult, CheckSettings, HealthReport, HealthStatus } from './health/check.ts'
export type { CombineSettings } from './health/combine.ts'
export type { DatabaseCheckSettings } from './health/database-check.ts'
export type { HttpCheckSettings } from './health/http-check.ts'
export type { HealthCheckManagerOptions } from './health/manager.ts'
export type { SetupHealthChecksOptions } from './health/setup.ts'
export type { RegistrationState, RegistrationStatus } from './lifecycle/registration-status.ts'
export type { Logger } from './logger.ts'
export type { Explanation, ExplainedInstance } from './observe/explain.ts'
export type { Compared } from './discovery/compared-service.ts'
export type {
  BalancerOptions, CallsOptions, OutlierOptions, StrategyContext, StrategyFunction, StrategyName
} from './options/call-options.ts'
export type { TlsOptions } from './options/tls-options.ts'
export type {
  CheckOptions, ConsulOptions, DiscoveryOptions, DrainOptions, Duration, HealthCheck, HealthOptions, MetricsOptions,
  MetricsRegister, ServiceOptions, UnderPressureOptions
} from './options/types.ts'
export type { MountOptions } from './plugin.ts'
export type { RegisterWithConsulOptions } from './register-with-consul.ts'
