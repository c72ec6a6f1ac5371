import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import * as publicNames from 'fastify-consul'
import { startDevAgent } from 'fastify-consul/dev'
import { exists } from './support/cache.ts'

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

t.test('the package holds the build, the licence and the README', async t => {
  const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'])
  const [packed] = JSON.parse(stdout) as [{ files: { path: string }[] }]
  const others = packed.files.map(({ path }) => path).filter(path => !path.startsWith('dist/'))
  t.same(others.sort(), ['LICENSE', 'README.md', 'package.json'])
  t.ok(packed.files.some(({ path }) => path === 'dist/index.d.ts'))
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
