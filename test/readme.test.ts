import { readdir, readFile } from 'node:fs/promises'
import { inspect } from 'node:util'
import t from 'tap'
import { endMark, pagesOf, startMark, type Results } from '../bench/support/pages.ts'
import { strategyNames } from '../lib/balancing/strategies.ts'
import { Balance, parseBalance } from '../lib/calls/balance.ts'
import * as errors from '../lib/errors.ts'
import * as publicNames from '../lib/index.ts'
import { variables } from '../lib/options/environment.ts'
import { optionPaths } from '../lib/options/resolve.ts'
import { issueToken, setPolicy } from './lifecycle/acl.ts'
import { listeningApp, messages, type TestApp } from './lifecycle/app.ts'
import { agentService, checksOf, gone, registered } from './lifecycle/catalog.ts'
import { startConsul } from './support/consul.ts'
import type { Teardown } from './support/teardown.ts'
import { until } from './support/wait.ts'

const root = new URL('../', import.meta.url)
const readme = await readFile(new URL('README.md', root), 'utf8')
const table = readme.slice(readme.indexOf('| option |'), readme.indexOf('## Health'))
const inCode = new Set(table.match(/`[^`]+`/g)?.map(code => code.slice(1, -1)))

/** Options that the table shows by their parts, or as a whole only. */
const wholes = new Set(['service.weights', 'underPressure.maxEventLoopDelay'])

const consul = await startConsul(t, { acl: true })

t.test('the options table lists every option', async t => {
  for (const path of optionPaths.filter(path => !wholes.has(path))) t.ok(inCode.has(path), path)
})

t.test('the options table lists every environment variable', async t => {
  for (const [variable] of [...variables, ['CONSUL_HTTP_AUTH']]) t.ok(inCode.has(variable!), variable)
})

t.test('the options table lists nothing else', async t => {
  const parents = optionPaths.map(path => path.split('.')[0]!)
  const known = new Set([...optionPaths, 'service', 'health', 'calls.outlier', ...parents])
  const listed = table.split('\n').flatMap(row => row.split('|')[1]?.match(/`[^`]+`/g) ?? [])
  for (const option of listed.map(code => code.slice(1, -1))) {
    t.ok(known.has(option) || option.startsWith('service.weights.'), option)
  }
})

t.test('the figures are those of bench/results.json, and without it there are none', async t => {
  const text = await readFile(new URL('bench/results.json', root), 'utf8').catch(() => undefined)
  const pages = text === undefined ? undefined : pagesOf(JSON.parse(text) as Results)
  for (const path of ['README.md', 'docs/performance.md'] as const) {
    const [, rest = ''] = (await readFile(new URL(path, root), 'utf8')).split(`${startMark}\n`)
    t.equal(rest.split(endMark)[0], pages === undefined ? '' : `${pages[path]}\n`, path)
  }
})

/** The rows of the table that begins so, cell by cell, with what stands in their backticks. */
function rowsOf (head: string): string[][] {
  const [, table = ''] = readme.split(`\n| ${head} |`)
  const rows = table.split('\n\n')[0]!.split('\n').slice(2)
  return rows.map(row => row.split(' | ').map(cell => cell.replace(/^\| | \|$/g, '')))
}

function codeIn (cell = ''): string | undefined {
  return /^`([^`]+)`$/.exec(cell)?.[1]
}

t.test('the table of balance lists every setting of a call, with its default', async t => {
  const none = { key: undefined, tag: undefined, datacenter: undefined, endsAt: undefined }
  const defaults = new Balance({ strategy: 'first', timeout: 1, deadline: 2, retries: 3, ...none })
  const rows = rowsOf('`balance` | default |')
  const names = rows.map(([name]) => codeIn(name))
  const expected = new RegExp(`\\(${names.join(', ')}\\)`)
  t.throws(() => parseBalance({ unknown: 1 }, defaults), { message: expected }, 'the same as the refusal lists')
  for (const option of rows.map(([, standard]) => codeIn(standard)).filter(option => option !== undefined)) {
    t.ok(optionPaths.includes(option), option)
  }
  t.match(parseBalance({ timeout: 0, deadline: 0, retries: 0 }, defaults), { timeout: 0, deadline: 0, retries: 0 })
})

t.test('the table of strategies lists every one, and a function', async t => {
  const named = rowsOf('strategy | the next call goes to').map(([name]) => codeIn(name) ?? '')
  t.same(named.toSorted(), ['', ...strategyNames].toSorted())
})

t.test('the table of errors has the codes, the names and the statuses of the code', async t => {
  const rows = rowsOf('code | `errors.` | status | when')
  t.ok(rows.length > 5)
  for (const [code, name, status] of rows) {
    const made = Reflect.construct(errors[codeIn(name) as keyof typeof errors], [])
    t.match({ code: made.code, status: String(made.statusCode) }, { code: codeIn(code), status })
  }
})

t.test('every error code that is named exists', async t => {
  const codes = new Set(Object.values(errors).map(make => Reflect.construct(make, []).code))
  const named = readme.match(/FST_CONSUL_\w+/g) ?? []
  t.ok(named.length > 0)
  for (const code of named) t.ok(codes.has(code), code)
})

t.test('every log line that is quoted is written somewhere', async t => {
  const sources = await sourcesIn(new URL('lib/', root))
  const quoted = [...readme.matchAll(/the log says `([^`]+)`/g)].map(([, line]) => line!)
  t.ok(quoted.length > 0)
  for (const line of quoted) t.ok(sources.some(source => source.includes(line)), line)
})

t.test('every import from the package is a public name', async t => {
  const lists = [...readme.matchAll(/import \{ ([^}]+) \} from 'fastify-consul'/g)].map(([, names]) => names!)
  t.ok(lists.length > 0)
  for (const name of lists.flatMap(names => names.split(', '))) t.ok(name in publicNames, name)
})

t.test('every link leads to a file or a heading', async t => {
  for (const [, link = ''] of readme.matchAll(/\]\(([^)]+)\)/g)) {
    const [file = '', heading = ''] = link.split('#')
    const text = file === '' ? readme : await readFile(new URL(file, root), 'utf8').catch(() => undefined)
    t.ok(text !== undefined && (heading === '' || headingsOf(text).has(`#${heading}`)), link)
  }
})

function headingsOf (text: string): Set<string> {
  return new Set([...text.matchAll(/^#+ (.+)$/gm)]
    .map(([, heading]) => `#${heading!.toLowerCase().replaceAll(' ', '-')}`))
}

async function sourcesIn (folder: URL): Promise<string[]> {
  const files = (await readdir(folder, { recursive: true })).filter(name => name.endsWith('.ts'))
  return await Promise.all(files.map(name => readFile(new URL(name, folder), 'utf8')))
}

// The policy that the README gives to copy, on an agent that denies everything else.

const policy = /```hcl\n(.+?)```/s.exec(readme)?.[1] ?? ''
const rules = policy.trim().split(/\n(?=\w)/)
const name = /^service "([^"]+)"/m.exec(policy)?.[1] ?? ''

let count = 0

async function tokenWith (rules: readonly string[]): Promise<string> {
  const policy = `readme-${count++}`
  await setPolicy(consul, policy, rules.join('\n'))
  return (await issueToken(consul, policy)).token
}

async function serviceWith (t: Teardown, rules: readonly string[], check: 'http' | 'ttl' = 'http'): Promise<TestApp> {
  return await listeningApp(t, {
    url: consul.url,
    token: await tokenWith(rules),
    service: { name, id: name },
    check: { type: check, interval: '1s' },
    discovery: { wait: '1s' }
  })
}

t.test('the policy has three rules, the first for the own name', async t => {
  t.equal(rules.length, 3)
  t.ok(name)
})

for (const check of ['http', 'ttl'] as const) {
  t.test(`with the policy a service (${check}) registers, is kept, finds others, and leaves`, async t => {
    await consul.api('PUT', '/v1/agent/service/register', { Name: 'other', Port: 7 })
    const { app, lines } = await serviceWith(t, rules, check)
    await registered(consul, name, 'passing')
    await until(() => app.consul.registration.state === 'registered')
    t.match(await app.discover('other'), [{ name: 'other', port: 7 }])
    t.equal(await (await app.fetch(`http://${name}/`)).text(), 'hello')
    t.match(await app.consul.listServices(), { other: [], [name]: [] })

    await consul.api('PUT', `/v1/agent/service/deregister/${name}`)
    await until(() => messages(lines, 'warn').some(line => line.startsWith('The registration was lost')))
    await registered(consul, name, 'passing')
    t.equal((await checksOf(consul, name)).length, 1)
    await app.consul.maintenance(true, 'a new disk')
    await until(async () => (await app.discover(name)).length === 0)
    await app.consul.maintenance(false)
    await until(async () => (await app.discover(name)).length === 1)

    await app.close()
    t.equal(await agentService(consul, name), undefined)
    await gone(consul, name)
    t.same(messages(lines, 'error'), [])
    t.notMatch(inspect(lines, { depth: 5 }), /ACL|forbids|Permission denied/)
  })
}

const missing = [`service:write on ${name}`, 'service:read', 'node:read']

for (const [index, right] of missing.entries()) {
  t.test(`without its rule ${right} is named, with the rule to add`, async t => {
    const { lines } = await serviceWith(t, rules.toSpliced(index, 1))
    const line = await until(() => messages(lines, 'warn').find(line => line.startsWith('The ACL token lacks')))
    const rule = rules[index]!.replaceAll(/#.*$/gm, '').replaceAll(/\s+/g, ' ').trim()
    t.equal(line, `The ACL token lacks ${right}; add to its policy: ${rule}`)
  })
}
