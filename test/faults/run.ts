// Every fault on real processes: npm run test:faults (with names: only these). It writes docs/faults.md. Exit code 1
// when a promise is broken.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { arch, constants, cpus, platform, release, setPriority, totalmem } from 'node:os'
import { findConsul } from '../support/find-consul.ts'
import type { Fault } from './fault.ts'
import { fault as agentBlackHole } from './agent-black-hole.ts'
import { fault as agentEmpty } from './agent-empty.ts'
import { fault as agentKill } from './agent-kill.ts'
import { fault as agentReset } from './agent-reset.ts'
import { fault as agentSuspend } from './agent-suspend.ts'
import { fault as callerSuspend } from './caller-suspend.ts'
import { fault as catalogRemoval } from './catalog-removal.ts'
import { fault as checkRemoved } from './check-removed.ts'
import { fault as idConflict } from './id-conflict.ts'
import { fault as instanceBlackHole } from './instance-black-hole.ts'
import { fault as instanceKill } from './instance-kill.ts'
import { fault as instanceRefusing } from './instance-refusing.ts'
import { fault as instanceReset } from './instance-reset.ts'
import { fault as instanceStalls } from './instance-stalls.ts'
import { fault as instanceSuspend } from './instance-suspend.ts'
import { fault as leaderKill } from './leader-kill.ts'
import { fault as policyNarrowed } from './policy-narrowed.ts'
import { fault as quorumLost } from './quorum-lost.ts'
import { fault as rollingRestart } from './rolling-restart.ts'
import { faultRowsSection } from './rows.ts'
import { fault as tokenRevoked } from './token-revoked.ts'
import { scaleFaults } from './scale.ts'
import { measure } from './support/measure.ts'
import { page, row, rowsOf } from './support/table.ts'

/** In the order of the table. */
const faults: readonly Fault[] = [
  rollingRestart,
  instanceKill,
  instanceSuspend,
  instanceStalls,
  instanceRefusing,
  instanceBlackHole,
  instanceReset,
  callerSuspend,
  agentKill,
  agentEmpty,
  agentSuspend,
  agentBlackHole,
  agentReset,
  leaderKill,
  quorumLost,
  checkRemoved,
  catalogRemoval,
  idConflict,
  tokenRevoked,
  policyNarrowed,
  ...scaleFaults
]

const file = new URL('../../docs/faults.md', import.meta.url)
const names = process.argv.slice(2)
const unknown = names.filter(name => !faults.some(fault => fault.name === name))
if (unknown.length > 0) throw new Error(`no such fault: ${unknown.join(', ')}`)

try {
  setPriority(constants.priority.PRIORITY_HIGH) // What else this machine does is not what is measured.
} catch {
  // Not for everyone.
}

const rows = rowsOf(await readFile(file, 'utf8').catch(() => ''))
for (const fault of faults.filter(({ name }) => names.length === 0 || names.includes(name))) {
  console.log(`${fault.name}: ${fault.done}`)
  const figures = await measure(fault, text => console.log(`  ${text}`))
  const { broken, ...measured } = figures
  console.log(`  ${JSON.stringify(measured)}`)
  console.log(broken === undefined ? `  kept: ${fault.promise}` : `  BROKEN: ${fault.promise}: ${broken}`)
  if (broken !== undefined) process.exitCode = 1
  rows.set(fault.name, row(fault, figures))
  await write()
}
// A fault that was given up may have left something waiting.
process.exit()

async function write (): Promise<void> {
  const { version } = await findConsul()
  const [cpu, ...more] = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  const kernel = release().replace(/-.*/, '')
  await mkdir(new URL('.', file), { recursive: true })
  const table = page(rows, faults.map(({ name }) => name), [
    `Last run: ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    `Machine: ${more.length + 1} × ${cpu?.model ?? arch()}, ${memory} GB, ${platform()} ${kernel}; everything on it`,
    `Consul ${version.join('.')}, Node ${process.versions.node}`
  ])
  await writeFile(file, [table, ...faultRowsSection()].join('\n'))
}
