// Measures what is promised about speed, side by side with what one would use instead: npm run bench. It writes
// bench/results.json, docs/performance.md and the tables in README.md. `npm run bench -- quick` tries it out: it takes
// few rounds, and writes nothing.
import { writeFile } from 'node:fs/promises'
import { cpus, platform, release, totalmem } from 'node:os'
import { findConsul } from '../test/support/find-consul.ts'
import { benchBoot } from './boot.ts'
import { benchCalls } from './calls.ts'
import { benchDiscovery } from './discovery.ts'
import { benchMany } from './many.ts'
import { benchPicks } from './picks.ts'
import { print, writePages, type Results } from './support/pages.ts'

const quick = process.argv.includes('quick')
const calls = quick
  ? { rounds: 3, requests: 1000, warmUp: 2000 }
  : { rounds: 31, requests: 4000, warmUp: 8000 }
const size = quick
  ? { picks: 20_000, discoveries: 20, seconds: 3, flips: 2, boots: 3 }
  : { picks: 200_000, discoveries: 200, seconds: 10, flips: 20, boots: 15 }

const [cpu, ...more] = cpus()
const results: Results = {
  date: new Date().toISOString().slice(0, 10),
  machine: `${more.length + 1} × ${cpu?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB, ` +
    `${platform()} ${release().replace(/-.*/, '')}`,
  node: process.versions.node,
  consul: (await findConsul()).version.join('.'),
  picks: await benchPicks(size.picks),
  calls: await benchCalls(calls),
  discovery: await benchDiscovery(size.discoveries),
  many: await benchMany(size.seconds, size.flips),
  boot: await benchBoot(size.boots)
}
print(results)
if (!quick) {
  await writeFile(new URL('results.json', import.meta.url), `${JSON.stringify(results, undefined, 2)}\n`)
  await writePages(results)
}
// Node's fetch has connections that nobody can close.
process.exit()
