import { EventEmitter } from 'node:events'
import t from 'tap'
import { runCommand } from '../../lib/dev/command.ts'
import { startDevAgent } from '../../lib/dev/index.ts'
import { until } from '../support/wait.ts'

interface Run {
  code: Promise<number>
  said: { out: string, error: string }
  process: EventEmitter
}

function run (...args: string[]): Run {
  const said = { out: '', error: '' }
  const process = new EventEmitter()
  const code = runCommand(args, {
    out: { write: text => { said.out += text } },
    error: { write: text => { said.error += text } },
    process
  })
  return { code, said, process }
}

for (const signal of ['SIGTERM', 'SIGINT']) {
  t.test(`it says what it is, serves, and ends with ${signal}`, async t => {
    const { code, said, process } = run('dev', '--port', '0')
    const url = await until(() => /http:\S+/.exec(said.out)?.[0])
    t.match(said.out, /This is no Consul/)
    t.equal(await (await fetch(`${url}/v1/status/leader`)).json(), '127.0.0.1:8300')
    process.emit(signal)
    t.equal(await code, 0)
    await t.rejects(fetch(url))
    t.equal(process.eventNames().length, 0)
  })
}

t.test('what it does not understand it says, with the usage', async t => {
  for (const [args, words] of [
    [[], /What to do is missing/],
    [['prod'], /There is no such command: prod/],
    [['dev', 'now'], /There is no such command: dev now/],
    [['dev', '--prot', '1'], /^Unknown option '--prot'\n/],
    [['dev', '--port'], /--port/],
    [['dev', '--port', 'a'], /--port must be a number from 0 to 65535, got a/],
    [['dev', '--port', '65536'], /--port must be/],
    [['dev', '--host', ''], /--host must be an address, got an empty text/],
    [['dev', '--host='], /--host must be an address, got an empty text/]
  ] as const) {
    const { code, said } = run(...args)
    t.equal(await code, 2, args.join(' '))
    t.match(said.error, words)
    t.match(said.error, /Usage: fastify-consul dev/)
  }
  const { code, said } = run('--help')
  t.equal(await code, 0)
  t.match(said.out, /Usage/)
})

t.test('where others reach it, it says what they can do', async t => {
  for (const [host, isExposed] of [
    ['127.0.0.1', false], ['localhost', false], ['0.0.0.0', true], ['0', true]
  ] as const) {
    const { code, said, process } = run('dev', '--port', '0', '--host', host)
    await until(() => said.out !== '')
    const words = /whoever reaches it can make it send requests/
    if (isExposed) t.match(said.out, words, host)
    else t.notMatch(said.out, words, host)
    process.emit('SIGTERM')
    t.equal(await code, 0)
  }
})

t.test('a port that is in use, or an address that is not ours, ends it with the reason', async t => {
  const agent = await startDevAgent({ port: 0 })
  t.teardown(() => agent[Symbol.asyncDispose]())
  const used = run('dev', '--port', String(agent.port))
  t.equal(await used.code, 1)
  t.match(used.said.error, new RegExp(`Port ${agent.port} of 127.0.0.1 is in use`))
  const elsewhere = run('dev', '--port', '0', '--host', '192.0.2.1')
  t.equal(await elsewhere.code, 1)
  t.match(elsewhere.said.error, /could not start/)
})
