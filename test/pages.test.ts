// What the pages for readers say, held to the code.
import { readdir, readFile } from 'node:fs/promises'
import { posix } from 'node:path'
import t from 'tap'
import { endMark, pagesOf, startMark, type Results } from '../bench/support/pages.ts'
import { strategyNames } from '../lib/balancing/strategies.ts'
import { Balance, parseBalance } from '../lib/calls/balance.ts'
import * as devNames from '../lib/dev/index.ts'
import * as errors from '../lib/errors.ts'
import * as publicNames from '../lib/index.ts'
import { variables } from '../lib/options/environment.ts'
import { optionPaths } from '../lib/options/resolve.ts'
import { allPages, codeIn, headingsOf, pageAt, proseOf, rowsOf } from './support/pages.ts'

const root = new URL('../', import.meta.url)
const pages = await allPages()
const readme = await pageAt('README.md')
const calls = await pageAt('docs/calls.md')

// The table of options, in the README

const options = rowsOf(readme, 'option | environment | default | what it does')
const listed = options.flatMap(([names]) => codeIn(names ?? ''))

/** Options that the table shows by their parts, or as a whole only. */
const wholes = new Set(['service.weights', 'underPressure.maxEventLoopDelay'])

t.test('the options table lists every option', async t => {
  for (const path of optionPaths.filter(path => !wholes.has(path))) t.ok(listed.includes(path), path)
})

t.test('the options table lists every environment variable', async t => {
  const named = options.flatMap(([, environment]) => codeIn(environment ?? ''))
  for (const [variable] of [...variables, ['CONSUL_HTTP_AUTH']]) t.ok(named.includes(variable!), variable)
})

t.test('the options table lists nothing else', async t => {
  const known = new Set([...optionPaths, 'service', 'health', 'underPressure', 'calls.outlier'])
  for (const option of listed) t.ok(known.has(option) || option.startsWith('service.weights.'), option)
})

// Figures

t.test('the figures are those of bench/results.json, and without it there are none', async t => {
  const text = await readFile(new URL('bench/results.json', root), 'utf8').catch(() => undefined)
  const figures = text === undefined ? undefined : pagesOf(JSON.parse(text) as Results)
  for (const path of ['README.md', 'docs/performance.md'] as const) {
    const [, rest = ''] = (await pageAt(path)).text.split(`${startMark}\n`)
    t.equal(rest.split(endMark)[0], figures === undefined ? '' : `${figures[path]}\n`, path)
  }
})

// The tables of docs/calls.md

t.test('the table of balance lists every setting of a call, with its default', async t => {
  const none = { key: undefined, tag: undefined, datacenter: undefined, endsAt: undefined }
  const defaults = new Balance({ strategy: 'first', timeout: 1, deadline: 2, retries: 3, ...none })
  const rows = rowsOf(calls, '`balance` | default |')
  const names = rows.map(([name]) => onlyCodeIn(name))
  const expected = new RegExp(`\\(${names.join(', ')}\\)`)
  t.throws(() => parseBalance({ unknown: 1 }, defaults), { message: expected }, 'the same as the refusal lists')
  for (const option of rows.map(([, standard]) => onlyCodeIn(standard)).filter(option => option !== undefined)) {
    t.ok(optionPaths.includes(option), option)
  }
  t.match(parseBalance({ timeout: 0, deadline: 0, retries: 0 }, defaults), { timeout: 0, deadline: 0, retries: 0 })
})

t.test('the table of strategies lists every one, and a function', async t => {
  const named = rowsOf(calls, 'strategy | the next call goes to').map(([name]) => onlyCodeIn(name) ?? '')
  t.same(named.toSorted(), ['', ...strategyNames].toSorted())
})

t.test('the table of errors has the codes, the names and the statuses of the code', async t => {
  const rows = rowsOf(calls, 'code | `errors.` | status | when')
  t.ok(rows.length > 5)
  for (const [code, name, status] of rows) {
    const made = Reflect.construct(errors[onlyCodeIn(name) as keyof typeof errors], [])
    t.match({ code: made.code, status: String(made.statusCode) }, { code: onlyCodeIn(code), status })
  }
})

/** What is in backticks, if that is all there is. */
function onlyCodeIn (cell = ''): string | undefined {
  return /^`([^`]+)`$/.exec(cell)?.[1]
}

// All pages

t.test('every error code that is named exists', async t => {
  const codes = new Set(Object.values(errors).map(make => Reflect.construct(make, []).code))
  const named = pages.flatMap(({ path, text }) => (text.match(/FST_CONSUL_\w+/g) ?? []).map(code => ({ path, code })))
  t.ok(named.length > 10)
  for (const { path, code } of named) t.ok(codes.has(code), `${code} in ${path}`)
})

t.test('every log line that is quoted is written somewhere', async t => {
  const sources = await sourcesIn(new URL('lib/', root))
  // A sentence in backticks: nothing else that is code begins so.
  const quoted = pages.flatMap(({ path, text }) => codeIn(text)
    .filter(code => /^[A-Z][a-z]+( \w+){2}/.test(code))
    .map(line => ({ path, line })))
  t.ok(quoted.length > 3)
  for (const { path, line } of quoted) {
    t.ok(sources.some(source => source.includes(line)), `${line} in ${path}`)
  }
})

t.test('every import from the package is a public name', async t => {
  const exported = { '': publicNames, '/dev': devNames }
  const statements = /import (type )?(?:\w+, )?\{ ([^}]+) \} from 'fastify-consul(\/dev)?'/g
  const imports = pages.flatMap(({ path, text }) => [...text.matchAll(statements)].flatMap(match => {
    const [, type, names = '', entry = ''] = match
    if (type !== undefined) return []
    return names.split(', ').filter(name => !name.startsWith('type ')).map(name => ({ path, name, entry }))
  }))
  t.ok(imports.length > 5)
  for (const { path, name, entry } of imports) t.ok(name in exported[entry as '' | '/dev'], `${name} in ${path}`)
})

t.test('every link leads to a file or a heading', async t => {
  for (const page of pages) {
    const links = [...proseOf(page).matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link!)
    for (const link of links.filter(link => !/^https?:\/\//.test(link))) {
      t.ok(await leadsSomewhere(page.path, link), `${link} in ${page.path}`)
    }
  }
})

t.test('every page can be reached from the README', async t => {
  const reached = new Set<string>(['README.md'])
  for (const path of reached) {
    const page = pages.find(page => page.path === path)
    if (page === undefined) continue
    for (const [, link = ''] of proseOf(page).matchAll(/\]\(([^)#]+\.md)[^)]*\)/g)) reached.add(targetOf(path, link))
  }
  for (const { path } of pages) t.ok(reached.has(path), path)
})

async function leadsSomewhere (from: string, link: string): Promise<boolean> {
  const [file = '', heading = ''] = link.split('#')
  const target = file === '' ? from : targetOf(from, file)
  const isThere = await readFile(new URL(target, root)).then(() => true, error => error.code === 'EISDIR')
  return isThere && (heading === '' || headingsOf(await pageAt(target)).has(heading))
}

function targetOf (from: string, link: string): string {
  return posix.join(posix.dirname(from), link)
}

async function sourcesIn (folder: URL): Promise<string[]> {
  const files = (await readdir(folder, { recursive: true })).filter(name => name.endsWith('.ts'))
  return await Promise.all(files.map(name => readFile(new URL(name, folder), 'utf8')))
}
