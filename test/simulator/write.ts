import { readFile, writeFile } from 'node:fs/promises'
import { simulateAll, tableOf } from './table.ts'

/** Puts the table of a new run into docs/balancing.md: `node --import ./scripts/strip-types.js` and this file. */
const docs = new URL('../../docs/balancing.md', import.meta.url)
const text = await readFile(docs, 'utf8')
const start = text.indexOf('| latency')
const end = text.lastIndexOf('|\n', text.indexOf('## What follows')) + 2
await writeFile(docs, `${text.slice(0, start)}${tableOf(simulateAll())}\n${text.slice(end)}`)
