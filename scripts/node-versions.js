// `npm run test:node-versions`: the core of the suite on every supported line of Node.js, a line of counts for each.
// With arguments (`npm run test:node-versions -- 22 26`) only on those lines. Exits 1 when a test of any fails.
//
// The core is what a version of Node.js can change: how the package is loaded; everything that goes through undici,
// HTTP servers and clients, TLS and HTTP/2, timers and sockets, events and diagnostics channels; how apps boot, drain
// and end, in processes of their own. Left out is what would only be computed once more or waited for once more
// (balancing and its simulator, options, the faults, long outages), and what is about Consul, databases, containers or
// this repository rather than about Node.js. All of that runs with `npm test`.
//
// A version is npm's package `node`, the newest of its line, in a folder of its own below node_modules/.cache.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const core = [
  'test/package.test.ts', 'test/plugin.test.ts', 'test/registry.test.ts', 'test/registry-process.test.ts',
  'test/boot-failure.test.ts', 'test/clock.test.ts', 'test/drain.test.ts', 'test/drain-http2.test.ts',
  'test/kept.test.ts', 'test/overtaken.test.ts', 'test/restart.test.ts',
  ...await testsIn('test/calls'), ...await testsIn('test/consul'), ...await testsIn('test/observe'),
  ...await testsIn('test/dev'), 'test/tracing.test.ts',
  'test/health/hooks-of-the-app.test.ts', 'test/health/manager.test.ts', 'test/health/routes.test.ts',
  'test/health/under-pressure.test.ts',
  'test/lifecycle/connections.test.ts', 'test/lifecycle/registration.test.ts',
  'test/discovery/process-end.test.ts', 'test/examples/examples.test.ts', 'test/support/process.test.ts'
]
const lines = process.argv.length > 2 ? process.argv.slice(2) : ['20', '22', '24', '26']

const root = fileURLToPath(new URL('..', import.meta.url))
const run = promisify(execFile)

for (const line of lines) {
  const bin = await install(line).catch(error => error)
  if (bin instanceof Error) {
    process.exitCode = 1
    const [why = bin.message] = /^npm error (?!code).+$/m.exec(bin.stderr) ?? []
    console.log(`Node.js ${line}: npm could not install it. ${why}`)
    continue
  }
  const { stdout: version } = await run('node', ['--version'], { env: environment(bin) })
  if (!version.startsWith(`v${line}.`)) throw new Error(`npm's node@${line} is ${version}`)
  const { code, output } = await testWith(bin)
  const results = join('.tap', `node-${line}.tap`)
  await mkdir(join(root, '.tap'), { recursive: true })
  await writeFile(join(root, results), output)
  const counts = /^\d+ passed, \d+ failed.*$/m.exec(output)?.[0] ?? `ended with exit code ${code}`
  console.log(`Node.js ${version.trim()}: ${counts}`)
  if (code === 0) continue
  process.exitCode = 1
  console.log(`${output.match(/^ *not ok .*$/gm)?.join('\n') ?? ''}\n  all of it is in ${results}`)
}

async function testsIn (folder) {
  const names = await readdir(new URL(`../${folder}`, import.meta.url))
  return names.filter(name => name.endsWith('.test.ts')).map(name => `${folder}/${name}`)
}

/** The folder of its `node`. */
async function install (line) {
  const folder = join(root, 'node_modules/.cache/fastify-consul/node', line)
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), '{ "private": true }')
  try {
    await run('npm', ['install', '--no-save', '--no-audit', '--no-fund', `node@${line}`], { cwd: folder })
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
  return join(folder, 'node_modules/.bin')
}

async function testWith (bin) {
  const test = spawn('node', ['scripts/test.js', '--disable-coverage', '--allow-empty-coverage', ...core], {
    cwd: root, env: environment(bin), stdio: ['ignore', 'pipe', 'pipe']
  })
  let output = ''
  for (const stream of [test.stdout, test.stderr]) stream.setEncoding('utf8').on('data', text => { output += text })
  const [code] = await once(test, 'close')
  return { code, output }
}

/** Every `node` is the one in `bin`: that of tap, of the tests, and of the services that they start. */
function environment (bin) {
  const PATH = [bin, join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter)
  return { ...process.env, PATH, TEST_CONTAINERS: 'no' }
}
