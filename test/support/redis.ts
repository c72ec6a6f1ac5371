import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { cached } from './cache.ts'
import { startChild } from './children.ts'
import { startContainer } from './containers.ts'
import { debianRelease, unpackDebianPackages } from './debian.ts'
import { firstFound, fromEnvironment } from './first-found.ts'
import { freePort } from './ports.ts'
import { borrow, type Service } from './service.ts'
import type { Teardown } from './teardown.ts'
import { until } from './wait.ts'

export interface Redis extends Service {
  url: string
}

/**
 * A real, empty Redis that ends with the test: the one at `REDIS_TEST_URL`, a container of `REDIS_IMAGE` (default
 * `redis`), the `redis-server` on the PATH, or on Debian the distribution's package, unpacked into the cache.
 */
export async function startRedis (t: Teardown): Promise<Redis> {
  const service = await firstFound<Service>('Redis', 'install redis-server or a container runtime such as Docker', [
    { name: 'address', find: async () => borrow(t, address(fromEnvironment('REDIS_TEST_URL'))) },
    { name: 'container', find: () => fromContainer(t) },
    { name: 'PATH', find: () => startServer(t, 'redis-server') },
    { name: 'Debian package', find: () => startFromDebian(t) }
  ])
  await until(() => answers(service), { timeout: 10_000, what: 'Redis to answer' })
  return { ...service, url: `redis://${service.host}:${service.port}` }
}

function address (url: string): { host: string, port: number } {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port === '' ? '6379' : port) }
}

function fromContainer (t: Teardown): Promise<Service> {
  const image = process.env.REDIS_IMAGE ?? 'redis'
  return startContainer(t, { image, port: 6379, ready: /Ready to accept connections/ })
}

async function startFromDebian (t: Teardown): Promise<Service> {
  const release = await debianRelease()
  const packages = ['redis-server', 'redis-tools', 'libjemalloc2', 'liblzf1']
  const folder = await cached('redis-debian', folder => unpackDebianPackages(packages, release, folder))
  const libraries = (await readdir(join(folder, 'usr/lib'))).map(name => join(folder, 'usr/lib', name))
  return startServer(t, join(folder, 'usr/bin/redis-server'), { LD_LIBRARY_PATH: libraries.join(':') })
}

async function startServer (t: Teardown, command: string, env: Record<string, string> = {}): Promise<Service> {
  const port = await freePort()
  const folder = await mkdtemp(join(tmpdir(), 'fastify-consul-redis-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder]
  const child = await startChild(command, args, { folder, env: { ...process.env, ...env } })
  t.teardown(() => child.kill())
  return { host: '127.0.0.1', port, kill: () => child.kill(), stop: () => child.kill('SIGTERM') }
}

async function answers ({ host, port }: Service): Promise<boolean> {
  const socket = connect(port, host)
  socket.end('PING\r\n')
  const [reply] = await once(socket, 'data')
  return String(reply).startsWith('+PONG')
}
