// Runs blocks, each a file, one after the other, with what a reader has at hand (./reader.ts), and writes a line
// `{ file, wrong }` for each. Environment: that of a service, DATABASE_URL, REDIS_URL.
import './reader.ts'
import { subscribe } from 'node:diagnostics_channel'
import { readFile } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import Fastify, { type FastifyInstance } from 'fastify'
import consul from 'fastify-consul'
import { Redis } from 'ioredis'
import pg from 'pg'
import { Counter } from 'prom-client'

interface Started {
  app: FastifyInstance
  /** The paths that answer GET. */
  paths: string[]
  isClosed: boolean
}

/** The apps of the block that runs, its own too. */
const started: Started[] = []

subscribe('fastify.initialization', message => {
  const { fastify: app } = message as { fastify: FastifyInstance }
  const one: Started = { app, paths: [], isClosed: false }
  app.addHook('onRoute', ({ method, url }) => { if (method === 'GET') one.paths.push(url) })
  app.addHook('onClose', async () => { one.isClosed = true })
  started.push(one)
})

globalThis.pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'] })
globalThis.redis = new Redis(process.env['REDIS_URL'] ?? '')
globalThis.attempts = new Counter({ name: 'attempts', help: 'of calls', labelNames: ['service', 'outcome'] })
pool.on('error', () => {})
redis.on('error', () => {})

for (const file of process.argv.slice(2)) {
  const wrong = await Promise.race([play(file), tooLong()]).then(() => '', error => inspect(error))
  console.log(`\n${JSON.stringify({ file, wrong })}`)
}
process.exit()

async function play (file: string): Promise<void> {
  started.length = 0
  const text = await readFile(file, 'utf8')
  await prepare(text)
  const { default: plugin } = await import(pathToFileURL(file).href) as { default?: unknown }
  if (typeof plugin === 'function') await app.register(plugin as (app: FastifyInstance) => Promise<void>)
  const inConsul = !/\burl[:,]|mode: 'static'/.test(text) // Not in one of its own, or in none.
  for (const one of started) await finish(one, inConsul)
}

/** The app is as far as the block wants it: with the plugin, and listening if nothing is added to it any more. */
async function prepare (text: string): Promise<void> {
  globalThis.app = Fastify()
  if (/\.register\(consul\b/.test(text)) return
  await app.register(consul)
  if (/\bapp\.(?:get|post|route|addHook|register|decorate)\(/.test(text)) return
  await app.listen({ port: 0, host: '127.0.0.1' })
  await registered(app)
}

/** What a block leaves behind is used once, and ended. */
async function finish ({ app, paths, isClosed }: Started, inConsul: boolean): Promise<void> {
  if (isClosed) return
  if (!app.server.listening) await app.listen({ port: 0, host: '127.0.0.1' })
  if (app.hasDecorator('consul') && inConsul && !app.consul.signal.aborted) {
    await registered(app)
    await (await app.fetch('http://l02-runtime/execute')).text()
    for (const path of paths) await answered(app, path)
  }
  await app.close()
}

async function registered ({ consul }: FastifyInstance): Promise<void> {
  while (consul.registration.state !== 'registered') await setTimeout(10)
}

async function answered (app: FastifyInstance, path: string): Promise<void> {
  const { statusCode, body } = await app.inject(path.replaceAll(/:\w+/g, '1'))
  if (statusCode >= 500) throw new Error(`GET ${path} answers ${statusCode}: ${body}`)
}

async function tooLong (): Promise<never> {
  await setTimeout(30_000, undefined, { ref: false })
  throw new Error('it did not come to an end within 30 s')
}
