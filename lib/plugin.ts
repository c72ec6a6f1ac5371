import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { addHealthRoutes } from './health/routes.ts'
import { Connections } from './lifecycle/connections.ts'
import { listenerOf, listenerOnPort } from './lifecycle/listener.ts'
import type { ConsulOptions } from './option-types.ts'
import { resolveOptions } from './options.ts'
import { ServiceRegistry } from './registry.ts'
import type { ResolvedOptions } from './resolved-options.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The service's registry: everything that this plugin does. */
    consul: ServiceRegistry
    /** The healthy instances of a service, from memory but for the first call. */
    discover: ServiceRegistry['discover']
    /** WHATWG fetch, outbound, whose `http://service-name/` goes to one of the service's instances. */
    fetch: ServiceRegistry['fetch']
  }
}

/** Fastify's own options for a plugin. */
export interface MountOptions {
  /** Put before the health routes. Default none. */
  prefix?: string | undefined
}

/** Options → parts → decorators → hooks. No I/O before the app is ready. */
export const consulPlugin: FastifyPluginAsync<ConsulOptions & MountOptions> = async (app, options) => {
  const resolved = resolveOptions(options)
  const logger = resolved.logger ?? app.log.child({ plugin: 'fastify-consul' })
  const registry = new ServiceRegistry(resolved, { logger })
  const connections = new Connections(app.server)

  app.decorate('consul', registry)
  app.decorate('discover', registry.discover.bind(registry))
  app.decorate('fetch', registry.fetch)

  const readyPath = await addRoutes(app, registry, resolved, options.prefix)

  const { service, mode } = resolved
  const isRegistering = service !== undefined && service !== false && mode !== 'static'
  if (service === undefined && mode !== 'static') logger.info('No service name (SERVICE_NAME): nothing is registered')

  if (isRegistering && service.registerOn === 'listening') {
    app.server.once('listening', () => {
      const listener = listenerOf(app.server)
      if (listener === undefined) logger.info('Bound to a unix socket, which nobody could find: nothing is registered')
      else registry.registerListener(listener, readyPath).catch(() => {})
    })
  }

  app.addHook('onReady', async () => {
    if (registry.signal.aborted) return
    if (mode === 'full') await registry.requireLeader(bootLimit(app, resolved))
    registry.preload()
    // Added here, after Fastify's own, it runs before Fastify begins to answer 503.
    app.addHook('onClose', async () => {
      connections.release()
      await registry.drain()
    })
    // Not awaited: it resolves after this hook.
    app.ready().then(
      () => {
        if (!isRegistering || service.registerOn !== 'ready') return
        registry.registerListener(listenerOnPort(service.port), readyPath).catch(() => {})
      },
      () => registry.close())
  })

  // A reply begun before the drain and sent during it ends its connection too.
  app.addHook('onSend', (request, reply, payload, done) => {
    if (connections.releasing && request.raw.httpVersionMajor === 1) reply.header('connection', 'close')
    done(null, payload)
  })

  app.addHook('preClose', () => registry.drain())
  app.addHook('onClose', () => registry.close())
}

async function addRoutes (
  app: FastifyInstance, registry: ServiceRegistry, { health, underPressure }: ResolvedOptions, prefix: string | undefined
): Promise<string | undefined> {
  if (health === false) return undefined
  const { readyPath } = await addHealthRoutes(app, {
    ...health, prefix, underPressure, manager: registry.health, isDraining: () => registry.signal.aborted
  })
  return readyPath
}

/** Fastify ends a hook after `pluginTimeout` with an error that says nothing of Consul; ours comes first. */
function bootLimit (app: FastifyInstance, { timeout }: ResolvedOptions): number {
  const { pluginTimeout = 10_000 } = app.initialConfig
  return pluginTimeout === 0 ? timeout : Math.max(Math.min(timeout, pluginTimeout - 1000), 0)
}
