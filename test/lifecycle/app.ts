import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { fastifyConsul } from '../../lib/index.ts'
import type { ConsulOptions } from '../../lib/options/types.ts'
import { collectingLogger, type Line } from '../health/collecting-logger.ts'
import type { Teardown } from '../support/teardown.ts'

export interface TestApp {
  app: FastifyInstance
  /** What the plugin logs. */
  lines: Line[]
}

export interface TestAppOptions extends ConsulOptions {
  prefix?: string
  fastify?: FastifyServerOptions
  /** Adds what the test needs before the app is ready. */
  routes?: (app: FastifyInstance) => void
}

/** An app with the plugin, not listening yet, that ends with the test. `GET /` answers `hello`. */
export async function testApp (t: Teardown, { fastify, routes, ...options }: TestAppOptions): Promise<TestApp> {
  const app = Fastify(fastify)
  t.teardown(() => app.close())
  const { logger, lines } = collectingLogger()
  // The machine may be busy with other tests, and that is not what these are about.
  await app.register(fastifyConsul, { logger, underPressure: false, ...options })
  app.get('/', async () => 'hello')
  routes?.(app)
  return { app, lines }
}

/** The same, listening on 127.0.0.1. */
export async function listeningApp (
  t: Teardown, options: TestAppOptions
): Promise<TestApp & { port: number, url: string }> {
  const { app, lines } = await testApp(t, options)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const port = portOf(app)
  return { app, lines, port, url: `http://127.0.0.1:${port}` }
}

export function portOf (app: FastifyInstance): number {
  return (app.server.address() as AddressInfo).port
}

/** Every message of a level, in order. */
export function messages (lines: readonly Line[], ...levels: readonly Line['level'][]): string[] {
  return lines.filter(({ level }) => levels.length === 0 || levels.includes(level)).map(({ message }) => message ?? '')
}
