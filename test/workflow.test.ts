import { readdir, readFile } from 'node:fs/promises'
import t from 'tap'
import { parse } from 'yaml'

interface Step { uses?: string, run?: string, env?: Record<string, string>, with?: Record<string, unknown> }
interface Job {
  'runs-on': string
  'timeout-minutes': number
  strategy?: { matrix: Record<string, unknown[]> }
  steps: Step[]
}

const root = new URL('../', import.meta.url)
const text = await readFile(new URL('.github/workflows/ci.yml', root), 'utf8')
const { jobs } = parse(text) as { jobs: Record<string, Job> }
const { scripts, engines } = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as {
  scripts: Record<string, string>, engines: { node: string }
}
const steps = Object.values(jobs).flatMap(job => job.steps)

t.test('the workflow runs every line of Node.js that test:node-versions runs, on Linux and macOS', async t => {
  const script = await readFile(new URL('scripts/node-versions.js', root), 'utf8')
  const lines = /: \[('20'.+)\]$/m.exec(script)?.[1]?.match(/\d+/g)?.map(Number)
  t.strictSame(jobs.test?.strategy?.matrix, { os: ['ubuntu-latest', 'macos-latest'], node: lines })
  t.ok(engines.node.startsWith(`>=${lines?.[0]}.`), 'and the first is the oldest that is supported')
})

t.test('the jobs for versions of Consul can skip nothing, and name the image that the tests read', async t => {
  const { strategy, steps = [] } = jobs.consul ?? {}
  t.strictSame(strategy?.matrix, { image: ['hashicorp/consul:1.17', 'hashicorp/consul:latest'] })
  t.match(steps.at(-1), { run: /^npm test/, env: { CONSUL_IMAGE: /\{\{ matrix\.image \}\}/, TEST_CONTAINERS: 'yes' } })
})

t.test('on macOS everything is installed that the tests look for on the PATH', async t => {
  const folder = new URL('test/support/', root)
  const files = (await readdir(folder)).filter(name => !name.endsWith('.test.ts'))
  const sources = await Promise.all(files.map(name => readFile(new URL(name, folder), 'utf8')))
  const named = sources.flatMap(source => source.match(/(?<=firstFound(?:<.+>)?\(')\w+/g) ?? [])
  const notInstalled = ['PostgreSQL', 'nginx'] // One comes with npm, what needs the other is for Linux.
  for (const name of notInstalled) t.ok(named.includes(name), name)
  const needed = new Set(named.filter(name => !notInstalled.includes(name)).map(name => name.toLowerCase()))
  const [formulas = ''] = steps.flatMap(({ run = '' }) => /(?<=^brew install ).+/.exec(run) ?? [])
  t.strictSame(formulas.split(' ').map(formula => formula.split('/').at(-1)).sort(), [...needed].sort())
  t.ok(needed.has('consul'))
})

t.test('what needs nginx, or loopback addresses that only Linux has, is skipped elsewhere with the reason', async t => {
  const folder = new URL('test/', root)
  const names = (await readdir(folder, { recursive: true })).filter(name => name.endsWith('.test.ts'))
  const limited: string[] = []
  for (const name of names) {
    const source = await readFile(new URL(name, folder), 'utf8')
    if (!/support\/nginx\.ts|consul-cluster\.ts|`127\.\$/.test(source)) continue
    limited.push(name)
    t.match(source, /'only Linux has all of 127\.0\.0\.0\/8'/, name)
  }
  t.ok(limited.length > 4)
})

t.test('everything that .ci/run checks is checked', async t => {
  const ci = await readFile(new URL('.ci/run', root), 'utf8')
  const checks = [...ci.matchAll(/^npm run ([\w-]+)$/gm)].map(([, script]) => script as string)
  t.ok(checks.length > 2)
  for (const check of checks) t.ok(steps.some(({ run }) => run === `npm run ${check}`), check)
})

t.test('its steps run scripts that exist and actions of a major version, and need no secret', async t => {
  for (const { uses, run = '' } of steps) {
    if (uses !== undefined) t.match(uses, /^actions\/[\w-]+@v\d+$/)
    for (const [, script = ''] of run.matchAll(/npm run ([\w:-]+)/g)) t.type(scripts[script], 'string', script)
  }
  t.notMatch(text, /secrets\./)
  for (const job of Object.values(jobs)) {
    t.ok(job['timeout-minutes'] > 0 && job['runs-on'])
    const used = new Set([...JSON.stringify(job).matchAll(/matrix\.(\w+)/g)].map(([, key]) => key as string))
    t.strictSame([...used].sort(), Object.keys(job.strategy?.matrix ?? {}).sort(), 'each value of a matrix is used')
  }
})
