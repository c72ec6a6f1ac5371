import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Fastify, { type FastifyInstance } from 'fastify'
import { fastifyConsul } from '../../lib/index.ts'
import { listeningApp } from '../lifecycle/app.ts'
import { certificateAuthority } from '../support/certificates.ts'
import { startConsul, type ConsulAgent } from '../support/consul.ts'
import { startPostgres } from '../support/postgres.ts'
import { startRedis } from '../support/redis.ts'
import type { Teardown } from '../support/teardown.ts'
import { until } from '../support/wait.ts'

/** What runs around the examples of the documentation. */
export interface World {
  consul: ConsulAgent
  /** For a process that finds all of it. */
  env: Record<string, string>
  /** Ports by those that the documentation has in their place. */
  ports: Readonly<Record<string, string>>
  hasContainers: boolean
  /** What is in a file of the reader's: a secret, or something for TLS. */
  fileFor: (path: string) => string
}

const secureNames = ['l02-runtime', 'l02-runtime.service.consul', 'v2.l02-runtime.service.dc1.consul']

/** Consul, PostgreSQL, Redis, and two `l02-runtime`, of which one speaks TLS. `folder` is there already. */
export async function startWorld (t: Teardown, folder: string): Promise<World> {
  const [consul, postgres, redis] = await Promise.all([startConsul(t), startPostgres(t), startRedis(t)])
  const authority = await certificateAuthority()
  const { cert, key } = await authority.issue('l02-runtime', ...secureNames)
  const trusted = join(folder, 'authority.pem')
  await writeFile(trusted, authority.ca)

  const common = { url: consul.url, drain: { delay: 0 } }
  const service = { name: 'l02-runtime', tags: ['v1', 'v2'] }
  const { app: plain, port } = await listeningApp(t, { ...common, service, routes: executes })
  const secure = Fastify({ https: { cert, key } })
  t.teardown(() => secure.close())
  await secure.register(fastifyConsul, { ...common, service: { ...service, id: 'a' }, check: { tlsSkipVerify: true } })
  executes(secure)
  await secure.listen({ port: 0, host: '127.0.0.1' })
  for (const app of [plain, secure]) await until(() => app.consul.registration.state === 'registered')

  return {
    consul,
    env: {
      CONSUL_URL: consul.url,
      CONSUL_DRAIN_DELAY: '0',
      DATABASE_URL: postgres.connectionString,
      REDIS_URL: redis.url,
      FIRST_TOKEN: 'a-secret',
      NODE_EXTRA_CA_CERTS: trusted
    },
    hasContainers: (process.env.TEST_CONTAINERS ?? 'no') !== 'no',
    ports: { 8500: String(consul.port), 8002: String(port) },
    fileFor (path) {
      if (!path.endsWith('.pem')) return 'a-secret'
      if (path.includes('key')) return key
      return path.includes('ca') ? authority.ca : cert
    }
  }
}

function executes (app: FastifyInstance): void {
  app.route({ method: ['GET', 'POST'], url: '/execute', handler: async () => ({ status: 'executed' }) })
}
