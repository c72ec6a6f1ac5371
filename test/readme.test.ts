import { readFile } from 'node:fs/promises'
import t from 'tap'
import { variables } from '../lib/options/environment.ts'
import { optionPaths } from '../lib/options/resolve.ts'

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
const table = readme.slice(readme.indexOf('## Options'), readme.indexOf('## Health'))
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
  const known = new Set([...optionPaths, 'service', 'health', ...optionPaths.map(path => path.split('.')[0]!)])
  const listed = table.split('\n').flatMap(row => row.split('|')[1]?.match(/`[^`]+`/g) ?? [])
  for (const option of listed.map(code => code.slice(1, -1))) {
    t.ok(known.has(option) || option.startsWith('service.weights.'), option)
  }
})
