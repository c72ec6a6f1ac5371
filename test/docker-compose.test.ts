import { cp, mkdtemp, readdir, readFile, rm, stat, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parse } from 'yaml'
import { variables } from '../lib/options/environment.ts'
import { resolveOptions } from '../lib/options/resolve.ts'
import { exists } from './support/cache.ts'
import { startChild } from './support/children.ts'
import { findConsul } from './support/find-consul.ts'
import { run } from './support/run.ts'
import { until } from './support/wait.ts'

interface ComposeService {
  image?: string
  profiles?: string[]
  hostname?: string
  volumes?: string[]
  build?: { context: string, dockerfile: string }
  command?: string | string[]
  ports?: string[]
  environment?: Record<string, string>
  healthcheck?: { test: string[] }
  depends_on?: Record<string, { condition: string }>
  deploy?: { replicas?: number }
}

const root = fileURLToPath(new URL('..', import.meta.url))
const file = join(root, 'docker-compose.yml')
const { services } = parse(await readFile(file, 'utf8'), { merge: true }) as {
  services: Record<string, ComposeService>
}
const built = Object.entries(services).filter(([, { build }]) => build !== undefined)

t.test('docker-compose.yml is valid by the schema of the Compose specification', async t => {
  const order = ['service-keys-order', 'services-alphabetical-order', 'top-level-properties-order']
  const rules = order.flatMap(rule => ['--disable-rule', rule])
  await t.resolves(run(join(root, 'node_modules/.bin/dclint'), [file, '--max-warnings', '0', ...rules]))
})

t.test('docker compose itself takes it, where it is installed', async t => {
  const isInstalled = await run('docker', ['compose', 'version']).then(() => true, () => false)
  if (isInstalled) await t.resolves(run('docker', ['compose', '--file', file, 'config', '--quiet']))
})

t.test('Consul is pinned to a minor version, shows its UI on 8500, and is asked whether it is up', async t => {
  t.match(services.consul, { image: /^hashicorp\/consul:\d+\.\d+$/, command: /-ui\b.*-client=0\.0\.0\.0/ })
  t.strictSame(services.consul?.healthcheck?.test, ['CMD', 'consul', 'members'])
  t.ok(services.consul?.ports?.some(port => port.endsWith('8500:8500')))
})

t.test('two kinds of service and more are built, one with several instances', async t => {
  t.ok(built.length >= 2)
  const { 'l02-runtime': several } = services
  t.ok((several?.deploy?.replicas ?? 1) > 1)
  t.equal(several?.ports, undefined, 'a port of the host can be had by one of them only')
})

for (const [name, { build, profiles, command, environment = {}, depends_on: needs, ports = [] }] of built) {
  const agent = profiles?.includes('ha') === true ? 'consul-client' : 'consul'
  t.test(`${name} is an example, configured by variables that it knows`, async t => {
    const example = command?.[1] ?? ''
    const source = await readFile(join(root, example), 'utf8')
    const known = new Set(variables.map(([variable]) => variable))
    t.strictSame(Object.keys(environment).filter(each => !known.has(each) && !source.includes(each)), [])

    const { url, service } = resolveOptions({}, { environment, hostname: 'container' })
    t.equal(new URL(url).host, `${agent}:8500`)
    const registered = { name: name.replace(/^ha-/, ''), address: undefined }
    t.match(service, registered, 'its address is found from the way to Consul')
    t.strictSame(ports.map(port => port.split(':').at(-1)), ports.length === 0 ? [] : [environment.PORT])
    t.ok(source.includes("host: '0.0.0.0'"))

    t.equal(needs?.[agent]?.condition, 'service_healthy')
    for (const [other, { condition }] of Object.entries(needs ?? {})) {
      t.equal(condition, 'service_healthy')
      t.ok(services[other]?.healthcheck, `${other} says when it is`)
    }
    t.ok(await exists(join(root, build?.context ?? '', build?.dockerfile ?? '')))
  })
}

t.test('Prometheus and Grafana start with the profile monitoring only, and all that they read is there', async t => {
  for (const { image, profiles, volumes = [] } of [services.prometheus!, services.grafana!]) {
    t.match(image, /:v?\d+\.\d+\.\d+$/)
    t.strictSame(profiles, ['monitoring'])
    for (const volume of volumes) {
      t.match(volume, /^\.\/examples\/monitoring\/.+:\/etc\/.+:ro$/)
      t.ok(await exists(join(root, volume.split(':')[0]!)), volume)
    }
  }
  t.match(services['l01-data-layer']?.environment?.SERVICE_TAGS, /\bmetrics$/, 'Prometheus finds it')
})

t.test('what the image is built from is there, and enough for the build', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'fastify-consul-image-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  const output: string[] = []
  for (const line of (await readFile(join(root, 'examples/Dockerfile'), 'utf8')).split('\n')) {
    const [instruction, ...words] = line.split(' ')
    if (instruction === 'COPY') await copyAsDocker(words, folder)
    if (instruction !== 'RUN' || words.join(' ') !== 'npm run build') continue
    // Without what tap loads into every Node process below it.
    await t.resolves(run('/bin/sh', ['-c', 'unset NODE_OPTIONS; npm run build'], { cwd: folder }))
    output.push(...await readdir(join(folder, 'dist')))
  }
  t.ok(output.includes('index.js'))
  for (const [name, { command }] of built) {
    t.ok(await exists(join(folder, command?.[1] ?? '')), `what ${name} runs is in it`)
  }
})

/** To a target that ends in a slash a file goes under its name; of a folder it is the content that is copied. */
async function copyAsDocker (words: readonly string[], folder: string): Promise<void> {
  const target = words.at(-1) ?? ''
  for (const source of words.slice(0, -1)) {
    const isFolder = (await stat(join(root, source))).isDirectory()
    const to = target.endsWith('/') && !isFolder ? join(target, basename(source)) : target
    await cp(join(root, source), join(folder, to), { recursive: true })
  }
}

// Profile ha

const agents = Object.entries(services).filter(([name]) => /^consul-(?:server|client)/.test(name))
const servers = agents.filter(([name]) => name.startsWith('consul-server'))

t.test('profile ha is three servers, an agent that knows them all, and services of its own', async t => {
  t.equal(servers.length, 3)
  t.equal(agents.length, 4)
  for (const [name, { hostname, profiles, image, command }] of agents) {
    t.match({ hostname, profiles, image }, { hostname: name, profiles: ['ha'], image: services.consul!.image })
    t.same(String(command).match(/(?<=-retry-join=)\S+/g), servers.map(([name]) => name))
  }
  for (const [name, { profiles = [], depends_on: needs = {} }] of Object.entries(services)) {
    const inHa = Object.keys(needs).filter(other => services[other]?.profiles?.includes('ha'))
    if (!profiles.includes('ha')) t.same(inHa, [], `${name} starts without the profile`)
  }
})

t.test('its agents, started as there, are a cluster by its own healthcheck', {
  skip: process.platform === 'linux' ? false : 'only Linux has all of 127.0.0.0/8'
}, async t => {
  const { path } = await findConsul()
  const subnet = `127.${1 + process.pid % 250}.${Math.floor(Math.random() * 256)}`
  const all = agents.map(([name]) => name)
  const address = (name: string): string => `${subnet}.${1 + all.indexOf(name)}`
  const folder = await mkdtemp(join(tmpdir(), 'fastify-consul-compose-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  for (const name of all) {
    const flags = String(services[name]?.command).replaceAll(/(?<=-retry-join=)\S+/g, address)
      .replace('-client=0.0.0.0', `-client=${address(name)}`).split(' ')
    const own = [`-bind=${address(name)}`, `-node=${name}`, `-data-dir=${join(folder, name)}`, '-log-level=err']
    const child = await startChild(path, [...flags, ...own], { folder })
    t.teardown(() => child.kill())
  }
  for (const name of all) {
    const { healthcheck: { test: [, command = '', ...args] } = { test: [] } } = services[name]!
    t.equal(command, 'consul')
    const env = { ...process.env, CONSUL_HTTP_ADDR: `http://${address(name)}:8500` }
    const { stdout } = await until(() => run(path, args, { env }), { timeout: 30_000, what: `${name} to be healthy` })
    for (const [server] of servers) t.match(stdout, server)
    t.match(stdout, /leader/)
  }
})
