import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { addHealthRoutes } from './health/routes.ts'
import { Connections } from './lifecycle/connections.ts'
import { listenerOf, listenerOnPort } from './lifecycle/listener.ts'
import type { Logger } from './logger.ts'
import type { ConsulOptions } from './options/types.ts'
import { resolveOptions } from './options/resolve.ts'
import { ServiceRegistry } from './registry.ts'
import type { ResolvedOptions } from './options/resolved.ts'

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
  prefix?: string
}

/** Options → parts → decorators → hooks. No I/O before the app is ready. */
export const consulPlugin: FastifyPluginAsync<ConsulOptions & MountOptions> = async (app, options) => {
  const resolved = resolveOptions(options)
  const logger = resolved.logger ?? app.log.child({ plugin: 'fastify-consul' })
  const registry = new ServiceRegistry(resolved, { logger, hasServer: true })
  try {
    decorate(app, registry)
    const readyPath = await addRoutes(app, registry, resolved, options.prefix)
    leaveWithApp(app, registry)
    registerWhenUp(app, registry, resolved, readyPath, logger)
  } catch (error) {
    await registry.close() // Nobody else would: the app has another one, or none.
    throw error
  }
}

function decorate (app: FastifyInstance, registry: ServiceRegistry): void {
  app.decorate('consul', registry)
  app.decorate('discover', registry.discover.bind(registry))
  app.decorate('fetch', registry.fetch)
}

async function addRoutes (
  app: FastifyInstance,
  registry: ServiceRegistry,
  { health, underPressure }: ResolvedOptions,
  prefix: string | undefined
): Promise<string | undefined> {
  if (health === false) return undefined
  const { readyPath } = await addHealthRoutes(app, {
    ...health, prefix, underPressure, manager: registry.health, isDraining: () => registry.signal.aborted
  })
  return readyPath
}

/** Nothing is registered before the port is bound: a second process, started by mistake, would take over the entry. */
function registerWhenUp (
  app: FastifyInstance,
  registry: ServiceRegistry,
  resolved: ResolvedOptions,
  readyPath: string | undefined,
  logger: Logger
): void {
  const { service, mode } = resolved
  const registers = service && mode !== 'static'
  if (service === undefined && mode !== 'static') logger.info('No service name (SERVICE_NAME): nothing is registered')

  // The server's event: Fastify's onListen does not run for ready() and server.listen().
  if (registers && service.registerOn === 'listening') {
    app.server.once('listening', () => {
      const listener = listenerOf(app.server)
      if (listener !== undefined) registry.registerListener(listener, readyPath)
      else logger.info('Bound to a unix socket, which nobody else could find: nothing is registered')
    })
  }

  app.addHook('onReady', async () => {
    if (registry.signal.aborted) return
    if (mode === 'full') await registry.requireLeader(bootLimit(app, resolved))
    registry.preload()
    if (registers && service.registerOn === 'ready') {
      // Not awaited: it resolves after this hook.
      booted(app).then(() => registry.registerListener(listenerOnPort(service.port), readyPath), () => {})
    }
  })
}

/** Callers are given time to notice while requests are still served; then Fastify closes; then all the rest. */
function leaveWithApp (app: FastifyInstance, registry: ServiceRegistry): void {
  const connections = new Connections(app.server, registry.signal)

  // Requests that came by a server of their own: for the second address of `localhost`, or one that serves the app.
  app.addHook('onRequest', (request, reply, done) => {
    connections.follow(request.raw, reply.raw)
    done()
  })

  app.addHook('onReady', async () => {
    // Added here, after Fastify's own, it runs before Fastify begins to answer 503.
    app.addHook('onClose', async () => {
      await registry.drain()
      connections.end()
    })
    // A boot that fails may never be closed.
    booted(app).catch(() => registry.close())
  })
  app.addHook('preClose', () => registry.drain())
  app.addHook('onClose', () => registry.close())
}

/**
 * How the boot ends, once it has begun. Only the root's `ready()` tells; an encapsulated child, which has its parent as
 * prototype, has one of its own.
 */
async function booted (app: FastifyInstance): Promise<void> {
  let root = app
  for (let parent = app; parent !== Object.prototype; parent = Object.getPrototypeOf(parent)) root = parent
  await root.ready()
}

/** Fastify ends a hook after `pluginTimeout` with an error that says nothing of Consul; ours comes first. */
function bootLimit (app: FastifyInstance, { timeout }: ResolvedOptions): number {
  const { pluginTimeout = 10_000 } = app.initialConfig
  return pluginTimeout === 0 ? timeout : Math.min(timeout, Math.max(pluginTimeout - 1000, pluginTimeout / 2))
}
