import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { Screen, table } from '../../examples/demo/screen.ts'
import { startScript } from '../support/process.ts'
import { until } from '../support/wait.ts'
import { bareEnvironment, copyOfProject } from './bare-machine.ts'
import { withoutOptions } from './boot.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

t.setTimeout(120_000)

t.test('an interrupted demo leaves nothing behind', async t => {
  const folder = t.testdir({})
  const script = await startScript(t, join(root, 'examples/demo/demo.ts'), {
    env: { ...withoutOptions(), TMPDIR: folder }
  })
  const url = (await script.line(/^Consul /, 30_000)).split(' ').at(-1) ?? ''
  await script.line(/^ +l02-runtime-1/, 30_000)
  const services = await portsOf(url)
  t.ok(services.length > 0)

  script.signal('SIGINT')
  t.equal((await script.ended).code, 130)
  t.match(script.lines, [/^Three/, /^on a Consul of their own/, /^Consul/, '', /^Routable/, /l02-runtime-1/])
  t.ok(script.lines.includes('Interrupted'))
  t.notOk(await listens(url), 'Consul has ended')
  for (const port of services) {
    await until(async () => !await listens(`http://127.0.0.1:${port}`), { what: 'the service to have ended' })
  }
  t.strictSame((await readdir(folder)).filter(name => name.startsWith('fastify-consul')), [])
})

t.test('without a Consul the demo runs on the development agent, says so and loses no request', async t => {
  const copy = await copyOfProject(t.testdir({}))
  const script = await startScript(t, join(copy, 'examples/demo/demo.ts'), {
    env: { ...withoutOptions(), ...bareEnvironment }
  })
  const line = await script.line(/^No Consul to start was found: the development agent .+ stands in, at /)
  t.equal((await script.ended).code, 0, script.output)
  t.ok(script.lines.includes('Done: 0 failed'))
  t.match(script.lines.find(line => line.startsWith('  In all')), / 0$/)
  t.notOk(await listens(line.split(' ').at(-1) ?? ''), 'the agent has ended')
})

async function portsOf (url: string): Promise<number[]> {
  const response = await fetch(`${url}/v1/agent/services`)
  return Object.values(await response.json() as Record<string, { Port: number }>).map(({ Port }) => Port)
}

function listens (url: string): Promise<boolean> {
  return fetch(url).then(() => true, () => false)
}

// Screen

t.test('on a terminal progress is replaced by what comes next', async t => {
  const { screen, written } = screenOn(true)
  screen.progress('1 of 2')
  screen.say('done')
  t.equal(written(), '\r\u001b[K… 1 of 2\r\u001b[Kdone\n')
})

t.test('in a pipe there is no progress and no control character', async t => {
  const { screen, written } = screenOn(undefined)
  screen.progress('1 of 2')
  screen.say('done')
  t.equal(written(), 'done\n')
})

t.test('a table has its first column to the left and the others to the right', async t => {
  t.strictSame(table([['a', '1'], ['bcd', '10']]), ['  a      1', '  bcd   10'])
})

function screenOn (isTTY: boolean | undefined): { screen: Screen, written: () => string } {
  const texts: string[] = []
  const screen = new Screen({ isTTY, write: (text: string) => texts.push(text) })
  return { screen, written: () => texts.join('') }
}
