// npm run test:contract-bugs
//
// Puts bugs into copies of the development agent, one each, and runs the contract against them: it has to fail. Against
// a copy without a bug it must not.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

interface Bug {
  what: string
  file: string
  right: string
  wrong: string
}

const bugs: readonly Bug[] = [{
  what: 'a blocking query is answered at once though nothing is new',
  file: 'catalog-routes.ts',
  right: 'BigInt(index()) > from',
  wrong: 'BigInt(index()) >= from'
}, {
  what: 'a change of any service moves the index of all',
  file: 'indexes.ts',
  right: 'return this.#services.get(keyOf(name)) ?? this.#extinction ?? this.#last',
  wrong: 'return this.#last'
}, {
  what: 'the end of a service moves the index of no other unknown name',
  file: 'indexes.ts',
  right: 'this.#extinction = this.#catalog = ++this.#last',
  wrong: 'this.#services.set(name, this.#catalog = ++this.#last)'
}, {
  what: 'a new registration takes its initial status though the check id is known',
  file: 'checks.ts',
  right: 'known?.status ?? definition.status',
  wrong: 'definition.status'
}, {
  what: 'replace-existing-checks keeps the others',
  file: 'agent-routes.ts',
  right: 'replace === \'\' || replace === \'true\'',
  wrong: 'false'
}, {
  what: 'the hash does not wake for the end of the service',
  file: 'agent-routes.ts',
  right: '() => present() !== hash',
  wrong: '() => ![undefined, hash].includes(present())'
}, {
  what: 'a heartbeat does not begin the time of a TTL anew',
  file: 'checks.ts',
  right: 'this.#parts.runner.start(check.definition, output)',
  wrong: ''
}, {
  what: 'a 429 is critical',
  file: 'probe-http.ts',
  right: 'status === 429 ? \'warning\'',
  wrong: 'status === 428 ? \'warning\''
}, {
  what: 'results count one by one, whatever the thresholds',
  file: 'thresholds.ts',
  right: '>= failuresBeforeCritical',
  wrong: '>= Math.min(failuresBeforeCritical, 1)'
}, {
  what: 'what stands encoded in a path is taken as it is',
  file: 'route.ts',
  right: 'return decodeURIComponent(path)',
  wrong: 'return path'
}, {
  what: 'all waits end at the same time',
  file: 'blocking.ts',
  right: 'wait * (1 + random() * jitter)',
  wrong: 'wait'
}, {
  what: 'an output without a new status goes to the catalog at once',
  file: 'checks.ts',
  right: 'this.#parts.lateOutputs.add(id, () => this.#list(check))',
  wrong: 'this.#list(check)'
}, {
  what: 'a service is found by its name in one spelling only',
  file: 'services.ts',
  right: 'keyOf(service.name) === keyOf(name)',
  wrong: 'service.name === name'
}, {
  what: 'a service has an index for each spelling of its name',
  file: 'indexes.ts',
  right: 'return this.#services.get(keyOf(name))',
  wrong: 'return this.#services.get(name)'
}]

const contract = fileURLToPath(new URL('dev-agent.test.ts', import.meta.url))
const lib = fileURLToPath(new URL('../../lib', import.meta.url))
const modules = fileURLToPath(new URL('../../node_modules', import.meta.url))
let failed = 0

tell(!await contractFails(), 'without a bug the contract is kept')
for (const bug of bugs) tell(await contractFails(bug), `found: ${bug.what}`)
console.log(`${1 + bugs.length - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

function tell (passed: boolean, what: string): void {
  if (!passed) failed++
  console.log(`${passed ? 'ok' : 'NOT OK'}: ${what}`)
}

async function contractFails (bug?: Bug): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'fastify-consul-bug-'))
  try {
    await cp(lib, folder, { recursive: true })
    await symlink(modules, join(folder, 'node_modules'))
    if (bug !== undefined) await put(bug, join(folder, 'dev', bug.file))
    return await isRed(pathToFileURL(join(folder, 'dev', 'index.ts')).href)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function put ({ what, file, right, wrong }: Bug, path: string): Promise<void> {
  const text = await readFile(path, 'utf8')
  if (text.split(right).length !== 2) throw new Error(`${file} has not once what is to be broken so that ${what}`)
  await writeFile(path, text.replace(right, () => wrong))
}

async function isRed (module: string): Promise<boolean> {
  const child = spawn(process.execPath, ['--import=./scripts/strip-types.js', contract], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { ...process.env, DEV_AGENT: module, TAP_BAIL: '1' },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => { output += chunk.toString() })
  const [code] = await once(child, 'close')
  const first = /^ *(?:not ok \d+ -|Bail out!) (.+)$/m.exec(output)?.[1]
  if (code !== 0 && first === undefined) throw new Error(`the contract did not run: ${output}`)
  if (first !== undefined) console.log(`  ${first}`)
  return code !== 0
}
