import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { Board } from '../../examples/platform/board.ts'
import { settingsOf } from '../../examples/platform/settings.ts'
import { startScript, type Script } from '../support/process.ts'
import { until } from '../support/wait.ts'
import { bareEnvironment, copyOfProject } from './bare-machine.ts'
import { withoutOptions } from './boot.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const file = 'examples/platform/platform.ts'

t.setTimeout(120_000)

t.test('interrupted in the middle, the platform leaves nothing behind', async t => {
  const folder = t.testdir({})
  const script = await startScript(t, join(root, file), {
    args: ['--layers', '2'], env: { ...withoutOptions(), CONSUL_URL: '', TMPDIR: folder }
  })
  await script.line(/^l01-data-layer replaced/, 60_000)
  const urls = await listeners(script)
  script.signal('SIGINT')
  t.equal((await script.ended).code, 130)
  t.ok(script.lines.includes('Interrupted'))
  await allGone(urls)
  t.strictSame((await readdir(folder)).filter(name => name.startsWith('fastify-consul')), [])
})

t.test('where nothing is to be had the platform says so, runs all the same, and stays if it is told to', async t => {
  const copy = await copyOfProject(t.testdir({}))
  const script = await startScript(t, join(copy, file), {
    args: ['--layers', '2', '--stay'], env: { ...withoutOptions(), ...bareEnvironment }
  })
  await script.line(/^Everything keeps running/, 60_000)
  t.match(script.lines, [
    /^2 service layers/, /^No Consul to start was found: the development agent of fastify-consul stands in, at /,
    /^No PostgreSQL found: .*does without/,
    /^No Redis found: .*does without/
  ])
  t.ok(script.lines.includes('Done: 0 failed'))

  const urls = await listeners(script)
  const [, , runtime] = urls
  const explained = await fetch(`${runtime}/explain/l01-data-layer`)
  t.match(await explained.text(), /l01-data-layer-2.*passing/)
  const ready = await fetch(`${runtime}/health/ready`)
  t.match(await ready.json(), { status: 'healthy' })

  script.signal('SIGINT')
  t.equal((await script.ended).code, 0)
  await allGone(urls)
})

t.test('settings that cannot be are refused, with what they can be', async t => {
  const script = await startScript(t, join(root, file), { args: ['--lairs', '3'], env: withoutOptions() })
  t.equal((await script.ended).code, 2)
  t.match(script.output, /lairs.*\n\nUsage: npm run platform/)
  for (const count of ['13', '1', '2.5', 'x']) {
    t.throws(() => settingsOf(['--layers', count], {}), /--layers is 2 to 12/)
  }
  t.throws(() => settingsOf([], { CONSUL_MODE: 'half' }), /CONSUL_MODE is one of static, register, hybrid, full/)
})

/** Consul's address, then those of the layers. */
async function listeners (script: Script): Promise<string[]> {
  const [, consul = ''] = /at (http:\S+)/.exec(script.lines[1] ?? '') ?? []
  const layers = await Promise.all(['l01-data-layer', 'l02-runtime'].map(async name => {
    const response = await fetch(`${consul}/v1/health/service/${name}`)
    const entries = await response.json() as Array<{ Service: { Port: number } }>
    return entries.map(({ Service: { Port } }) => `http://127.0.0.1:${Port}`)
  }))
  return [consul, ...layers.flat()]
}

async function allGone (urls: readonly string[]): Promise<void> {
  for (const url of urls) {
    await until(() => fetch(url).then(() => false, () => true), { what: `nobody to listen at ${url}` })
  }
}

// Board

t.test('on a terminal the picture is drawn in place, and what is said stays above it', async t => {
  const { board, written } = boardOn({ isTTY: true, columns: 6, rows: 10 })
  board.show({ lines: ['one', 'two three'], summary: '' })
  t.equal(written(), 'one\ntwo t\n', 'no line is wrapped')
  board.say('said')
  t.equal(written(), '\u001b[2A\u001b[Jsaid\none\ntwo t\n')
  board.show({ lines: ['four'], summary: '' })
  t.equal(written(), '\u001b[2A\u001b[Jfour\n')
  board.clear()
  board.say('said')
  t.equal(written(), '\u001b[1A\u001b[Jsaid\n')
})

t.test('in a pipe, or on a terminal that is too low, there is a summary now and then', async t => {
  for (const size of [{}, { isTTY: true, rows: 2 }]) {
    const clock = { now: 0 }
    const { board, written } = boardOn(size, () => clock.now)
    const picture = { lines: ['one', 'two'], summary: 'both' }
    board.show(picture)
    t.equal(written(), '')
    clock.now = 5000
    board.show(picture)
    board.show(picture)
    t.equal(written(), 'both\n')
    board.say('said')
    t.equal(written(), 'said\n')
  }
})

function boardOn (output: object, now?: () => number): { board: Board, written: () => string } {
  const texts: string[] = []
  const board = new Board({ ...output, write: (text: string) => texts.push(text) }, now)
  return { board, written: () => texts.splice(0).join('') }
}
