import { readdir } from 'node:fs/promises'
import { eachBlock } from './tester.ts'

const root = new URL('../../', import.meta.url)

/** Pictures and output are what they are. A tree of lib/ must name its folders, all of them, and files that exist. */
export const text = eachBlock(async ({ text }) => {
  const [top = '', ...lines] = text.split('\n')
  if (top !== 'lib/') return []
  const entries = await readdir(new URL(top, root), { withFileTypes: true })
  const there = entries.map(entry => entry.isDirectory() ? `${entry.name}/` : entry.name)
  const named = lines.map(line => /^ {2}(\S+)/.exec(line)?.[1]).filter(name => name !== undefined)
  return [
    ...named.filter(name => !there.includes(name)).map(name => `there is no lib/${name}`),
    ...there.filter(name => name.endsWith('/') && !named.includes(name)).map(name => `lib/${name} is missing`)
  ]
})
