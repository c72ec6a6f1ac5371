import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import * as publicNames from 'fastify-consul'
import { startDevAgent } from 'fastify-consul/dev'
import { exists } from './support/cache.ts'
import { dependenciesOf, fileSizesOf } from './support/installed-packages.ts'

const run = promisify(execFile)
const require = createRequire(import.meta.url)

t.test('require() gives the plugin with every named export attached', async t => {
  const required = require('fastify-consul') as Record<string, unknown>
  t.type(required, 'function')
  t.equal(required, publicNames.default)
  const names = Object.keys(publicNames).filter(name => name !== 'module.exports')
  t.equal(required.fastifyConsul, required)
  for (const name of names) t.equal(required[name], publicNames[name as keyof typeof publicNames], name)
  t.same(Object.keys(required).sort(), names.sort())
})

t.test('require() prints no warning', async t => {
  const { stderr } = await run(process.execPath, ['-e', 'require(\'fastify-consul\')'])
  t.equal(stderr, '')
})

t.test('an import keeps no process alive', async t => {
  await t.resolves(run(process.execPath, ['-e', 'import(\'fastify-consul\')'], { timeout: 20_000 }))
})

t.test('the development agent is an entry of its own and a command', async t => {
  const agent = await startDevAgent({ port: 0 })
  await agent.close()
  const command = spawn(process.execPath, [require.resolve('../dist/dev/cli.js'), 'dev', '--port', '0'])
  t.teardown(() => command.kill('SIGKILL'))
  const [said] = await once(command.stdout, 'data') as [Buffer]
  t.match(said.toString(), /This is no Consul/)
  command.kill('SIGTERM')
  t.same(await once(command, 'exit'), [0, null])
})

async function packed (): Promise<{ files: { path: string, size: number }[] }> {
  const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'])
  return JSON.parse(stdout)[0]
}

t.test('the package holds the build of every source, what is to be read first, and nothing else', async t => {
  const sources = (await readdir('lib', { recursive: true })).filter(name => name.endsWith('.ts'))
  const built = sources.flatMap(name => ['.d.ts', '.js'].map(ending => `dist/${name.replace(/\.ts$/, ending)}`))
  const read = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json']
  t.same((await packed()).files.map(({ path }) => path).sort(), [...built, ...read].sort())
})

t.test('the README says how many packages are installed, and how large they are on a disk', async t => {
  const readme = await readFile('README.md', 'utf8')
  const sentence = /(\d+) packages, (\d+) MB installed \(itself included, Fastify aside\)/
  const [, count, megabytes] = sentence.exec(readme) ?? []
  const others = await dependenciesOf(process.cwd())
  t.equal(Number(count), 1 + others.length, others.map(({ id }) => id).join(' '))

  const own = (await packed()).files.map(({ size }) => size)
  const sizes = [...own, ...(await Promise.all(others.map(fileSizesOf))).flat()]
  const blocks = sizes.reduce((sum, size) => sum + Math.ceil(size / 4096), 0)
  const measured = blocks * 4096 / 1e6
  t.ok(Math.abs(Number(megabytes) - measured) < measured / 10, `${megabytes} MB, measured ${measured.toFixed(1)} MB`)
})

t.test('a build begins without what a source that is gone has left', async t => {
  const { scripts } = require('fastify-consul/package.json') as { scripts: Record<string, string> }
  const [clean = ''] = (scripts.build ?? '').split(' && ')
  const folder = t.testdir({ scripts: {}, dist: { 'gone.js': '' } })
  const script = clean.replace('node ', '')
  await copyFile(join(import.meta.dirname, '..', script), join(folder, script))
  for (const time of ['the first time', 'without anything there']) {
    await run(process.execPath, [join(folder, script)])
    t.notOk(await exists(join(folder, 'dist')), time)
  }
})
