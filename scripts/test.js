// `npm test`: every test with tap, which also gates the coverage (.taprc), and as the last line tap's own counts.
// With arguments (`npm test -- test/x.test.ts`) only what they say, without the gate.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { finished } from 'node:stream/promises'
import { promisify } from 'node:util'
import { getContainerRuntimeClient } from 'testcontainers'
import { parse } from 'yaml'

const results = '.tap/results.tap'

// Asked once here instead of once in every test file.
process.env.TEST_CONTAINERS ??= await getContainerRuntimeClient().then(() => 'yes', () => 'no')

// tap without its TypeScript, as .taprc wants it, has to be built once; by itself it builds it for the next run only.
if ((await pluginsOfTap()).includes('@tapjs/typescript')) await exitCodeOf(spawn('tap', ['build'], { stdio: 'ignore' }))

const only = process.argv.slice(2)
const gate = ['--no-allow-incomplete-coverage', '--no-allow-empty-coverage']
const exitCode = await runTap(['run', ...(only.length > 0 ? only : gate)])
const { total = 0, pass = 0, fail = 0, skip = 0, todo = 0 } = await countsIn(results)
process.exitCode = exitCode === 0 && (fail > 0 || total === 0) ? 1 : exitCode
const skipped = skip + todo > 0 ? `, ${skip + todo} skipped` : ''
console.log(`${pass} passed, ${fail} failed${skipped}`)

/** Runs tap, which shows its progress on a terminal and plain TAP elsewhere; the TAP goes to the file `results` too. */
async function runTap (args) {
  await mkdir('.tap', { recursive: true })
  await rm(results, { force: true }) // Those of an earlier run.
  if (process.stdout.isTTY) {
    const tap = spawn('tap', [...args, '--output-file', results], { stdio: 'inherit' })
    return exitCodeOf(tap)
  }
  const file = createWriteStream(results)
  const tap = spawn('tap', [...args, '--reporter', 'tap'], { stdio: ['ignore', 'pipe', 'inherit'] })
  tap.stdout.pipe(process.stdout, { end: false })
  tap.stdout.pipe(file)
  const code = await exitCodeOf(tap)
  await finished(file)
  return code
}

/** Asked in a process of its own: whoever imports tap is a test, and ends like one. */
async function pluginsOfTap () {
  const script = 'import { t } from "tap"; console.log(t.pluginSignature)'
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script])
  return stdout
}

async function exitCodeOf (child) {
  const [code] = await once(child, 'close')
  return code ?? 1
}

/** tap ends with a comment such as `# { total: 8, pass: 5, fail: 1, todo: 1, skip: 1 }`; without it nothing ran. */
async function countsIn (file) {
  const text = await readFile(file, 'utf8').catch(() => '')
  const last = text.match(/^# \{ total: .+\}$/gm)?.at(-1)
  return last === undefined ? {} : parse(last.slice(2))
}
