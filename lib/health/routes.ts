import type { FastifyUnderPressureOptions } from '@fastify/under-pressure'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { consulCheckHeader } from '../check-header.ts'
import { DuplicateRouteError } from '../errors.ts'
import { bodyOf } from './body.ts'
import type { HealthStatus } from './check.ts'
import type { HealthCheckManager } from './manager.ts'
import { pressureCheck, pressureName } from './pressure-check.ts'
import { type Details, liveSchema, readySchema } from './schemas.ts'
import { measurePressure } from './under-pressure.ts'

export interface HealthRoutesOptions {
  readonly manager: HealthCheckManager
  readonly readyPath: string
  readonly livePath: string
  readonly details: Details
  readonly underPressure: Readonly<FastifyUnderPressureOptions> | false
  readonly isDraining: () => boolean
  /** Put before both paths, after the app's own prefix. Default none. */
  readonly prefix?: string | undefined
}

/** The paths under which the routes can be called. */
export interface MountedPaths {
  readonly readyPath: string
  readonly livePath: string
}

/**
 * Adds both routes, in an encapsulated child of `app`, and a check of the pressure to the manager, unless it has one
 * of that name already.
 *
 * @throws FST_CONSUL_DUPLICATE_ROUTE
 */
export async function addHealthRoutes (app: FastifyInstance, options: HealthRoutesOptions): Promise<MountedPaths> {
  const { manager, underPressure, prefix = '' } = options
  let readyPath = ''
  let livePath = ''
  await app.register(async child => {
    if (underPressure !== false && !manager.has(pressureName)) {
      manager.add(pressureCheck(await measurePressure(app, child, underPressure)))
    }
    readyPath = mount(child, 'readyPath', readyRoute(options))
    livePath = mount(child, 'livePath', liveRoute(options))
  }, { prefix })
  refuseDuplicates(app, { readyPath, livePath })
  return { readyPath, livePath }
}

function readyRoute ({ manager, readyPath, details, isDraining }: HealthRoutesOptions): RouteOptions {
  return {
    ...common,
    url: readyPath,
    schema: readySchema(details),
    async handler (request: FastifyRequest, reply: FastifyReply) {
      if (isDraining()) return answer(reply, 503, { status: 'draining' })
      const report = await manager.check()
      return answer(reply, codeOf(report.status, request), bodyOf(report, details))
    }
  }
}

function liveRoute ({ livePath }: HealthRoutesOptions): RouteOptions {
  return {
    ...common,
    url: livePath,
    schema: liveSchema,
    async handler (_request: FastifyRequest, reply: FastifyReply) {
      return answer(reply, 200, { status: 'alive' })
    }
  }
}

/** Sent as text: what an app makes of its own replies, an envelope around each of them, say, is not made of these. */
function answer (reply: FastifyReply, code: number, body: object): FastifyReply {
  return reply.code(code)
    .header('cache-control', 'no-store')
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(body))
}

/** Neither pressure nor a rate limit answers for the health routes. */
const config: object = { pressureHandler: () => undefined, rateLimit: false }

/** `logLevel`: a request is no line, an error is. */
const common = { method: 'GET', exposeHeadRoute: true, logLevel: 'warn', config } as const

/** Consul's `warning` is 429, its only status besides passing and critical; to everyone else degraded is ready. */
function codeOf (status: HealthStatus, request: FastifyRequest): number {
  if (status === 'unhealthy') return 503
  const fromConsul = request.headers[consulCheckHeader.name] === consulCheckHeader.value
  return status === 'degraded' && fromConsul ? 429 : 200
}

function mount (app: FastifyInstance, option: keyof MountedPaths, route: RouteOptions): string {
  const { prefix } = app
  const path = prefix.endsWith('/') ? prefix + route.url.slice(1) : prefix + route.url
  try {
    app.route(route)
  } catch (error) {
    if (!isDuplicate(error)) throw error
    throw new DuplicateRouteError(path, `health.${option}`, { cause: error })
  }
  return path
}

function isDuplicate (error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'FST_ERR_DUPLICATED_ROUTE'
}

/** Fastify's own error would name the path, but not who else wants it. */
function refuseDuplicates (app: FastifyInstance, paths: MountedPaths): void {
  const options = new Map([[paths.readyPath, 'health.readyPath'], [paths.livePath, 'health.livePath']])
  app.addHook('onRoute', ({ method, url, constraints }) => {
    const option = options.get(url)
    if (option !== undefined && constraints === undefined && [method].flat().includes('GET')) {
      throw new DuplicateRouteError(url, option)
    }
  })
}
