import { pino } from 'pino'
import { ConsulClient, type ClientOptions } from './consul/client.ts'
import { InvalidOptionError } from './errors.ts'
import { listenerOnPort } from './lifecycle/listener.ts'
import { Registrar } from './lifecycle/registrar.ts'
import { tellOfTraps } from './lifecycle/traps.ts'
import type { CheckOptions, ServiceOptions } from './options/types.ts'
import { resolveOptions, serviceIdOf } from './options/resolve.ts'

export interface RegisterWithConsulOptions extends ClientOptions, Omit<ServiceOptions, 'registerOn'> {
  name: string
  port: number
  /** Default: an http check on `/health/ready`. `false`: none, and Consul takes the service for healthy for ever. */
  check?: CheckOptions | false | undefined
}

/**
 * Registers something once, for scripts: nothing keeps it registered, and nothing takes it out again but
 * `ConsulClient.deregisterService()`, or Consul after a check was critical for `check.deregisterAfter`.
 *
 * @returns the service id
 * @throws FST_CONSUL_INVALID_OPTION, and FST_CONSUL_API_* if Consul does not take it
 */
export async function registerWithConsul (options: RegisterWithConsulOptions): Promise<string> {
  const { url, token, tokenFile, tls, datacenter, namespace, partition, timeout, check, ...service } = options
  const connection = { url, token, tokenFile, tls, datacenter, namespace, partition, timeout }
  const given = { ...connection, service, ...(check !== false && { check }) }
  const resolved = resolveOptions(given, { environment: withoutOwnService(process.env) })
  if (!resolved.service) throw new InvalidOptionError('name', 'the name of a service', 'none')
  const { port } = resolved.service
  const plan = {
    id: serviceIdOf(resolved.service, resolved.hostname, port),
    service: resolved.service,
    check: resolved.check,
    listener: listenerOnPort(port),
    readyPath: '/health/ready'
  }
  const client = new ConsulClient({}, { resolved })
  const registrar = new Registrar(client, plan)
  try {
    const registered = check === false
      ? await registrar.registerUnchecked()
      : await registrar.register({ status: 'critical' })
    await tellOfTraps(registered, client, pino({ name: 'fastify-consul' }))
    return plan.id
  } finally {
    await client.close()
  }
}

/** `SERVICE_*` tells of the service that this process is, which need not be the one that is registered. */
function withoutOwnService (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('SERVICE_')))
}
