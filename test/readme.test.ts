import { readFile, readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import * as errors from '../lib/errors.ts'
import * as publicNames from '../lib/index.ts'
import { variables } from '../lib/options/environment.ts'
import { optionPaths } from '../lib/options/resolve.ts'
import { exists } from './support/cache.ts'

const root = new URL('../', import.meta.url)
const readme = await readFile(new URL('README.md', root), 'utf8')
const table = readme.slice(readme.indexOf('| option |'), readme.indexOf('## Health'))
const inCode = new Set(table.match(/`[^`]+`/g)?.map(code => code.slice(1, -1)))

/** Options that the table shows by their parts, or as a whole only. */
const wholes = new Set(['service.weights', 'underPressure.maxEventLoopDelay'])

t.test('the options table lists every option', async t => {
  for (const path of optionPaths.filter(path => !wholes.has(path))) t.ok(inCode.has(path), path)
})

t.test('the options table lists every environment variable', async t => {
  for (const [variable] of [...variables, ['CONSUL_HTTP_AUTH']]) t.ok(inCode.has(variable!), variable)
})

t.test('the options table lists nothing else', async t => {
  const known = new Set([...optionPaths, 'service', 'health', 'calls.outlier', ...optionPaths.map(path => path.split('.')[0]!)])
  const listed = table.split('\n').flatMap(row => row.split('|')[1]?.match(/`[^`]+`/g) ?? [])
  for (const option of listed.map(code => code.slice(1, -1))) {
    t.ok(known.has(option) || option.startsWith('service.weights.'), option)
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
  const headings = new Set([...readme.matchAll(/^#+ (.+)$/gm)]
    .map(([, heading]) => `#${heading!.toLowerCase().replaceAll(' ', '-')}`))
  for (const [, link = ''] of readme.matchAll(/\]\(([^)]+)\)/g)) {
    t.ok(link.startsWith('#') ? headings.has(link) : await exists(fileURLToPath(new URL(link, root))), link)
  }
})

async function sourcesIn (folder: URL): Promise<string[]> {
  const files = (await readdir(folder, { recursive: true })).filter(name => name.endsWith('.ts'))
  return await Promise.all(files.map(name => readFile(new URL(name, folder), 'utf8')))
}
