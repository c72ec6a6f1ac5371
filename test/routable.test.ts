import t, { type Test } from 'tap'
import type { WireHealthEntry } from '../lib/consul/wire.ts'
import { ConsulClient } from '../lib/index.ts'
import { withoutOptions } from './examples/boot.ts'
import { checksOf, registered } from './lifecycle/catalog.ts'
import { startConsul } from './support/consul.ts'
import { startScript, type Script } from './support/process.ts'

const consul = await startConsul(t)
const client = new ConsulClient({ url: consul.url })
t.teardown(() => client.close())

/** The time to beat, in milliseconds. */
const soon = 100
/** What keeps the machine busy holds up a registration by hand too, which takes 5 ms on an idle one. */
const tries = 10
const timesByHand = 10

interface Started {
  script: Script
  port: string
  /** Milliseconds from listening until the catalog listed it as passing. */
  took: number
}

/** Starts the minimal example; the catalog has no passing instance of it before. */
async function start (t: Test, name: string, port: string): Promise<Started> {
  const index = (await client.health(name)).index ?? '1'
  const passing = passingSince(name, index)
  const script = await startScript(t, new URL('../examples/minimal.ts', import.meta.url), {
    env: {
      ...withoutOptions(), CONSUL_URL: consul.url, SERVICE_NAME: name, PORT: port, CONSUL_CHECK_INTERVAL: '1s'
    }
  })
  const { time, msg } = JSON.parse(await script.line(/Server listening at/)) as { time: number, msg: string }
  return { script, port: new URL(msg.split(' at ')[1] ?? '').port, took: await passing - time }
}

/** When Consul told that the service is passing. */
async function passingSince (name: string, from: string): Promise<number> {
  let index: string | undefined = from
  for (;;) {
    const { value, index: next } = await client.health(name, { index, wait: '30s' })
    if (value.length === 1 && value.every(isPassing)) return Date.now()
    index = next
  }
}

/** Milliseconds until the catalog lists what was registered by hand. */
async function byHand (name: string): Promise<number> {
  const index = (await client.health(name)).index ?? '1'
  const passing = passingSince(name, index)
  const began = Date.now()
  await client.registerService({ name, check: { ttl: '1m', status: 'passing' } })
  return await passing - began
}

const isPassing = ({ Checks: checks }: WireHealthEntry): boolean => checks.every(({ Status }) => Status === 'passing')

async function isSoonOnce (measure: (round: number) => Promise<number>): Promise<boolean> {
  for (let round = 0; round < tries; round++) {
    const limit = Math.max(soon, timesByHand * await byHand(`by-hand-${performance.now()}`))
    const took = await measure(round)
    t.comment(`${took} ms`)
    if (took < limit) return true
  }
  return false
}

t.test(`on port 0 a service is passing within ${soon} ms of listening`, async t => {
  t.ok(await isSoonOnce(async round => (await start(t, `new-${round}`, '0')).took))
})

t.test(`killed and started again on the same port it is passing within ${soon} ms of listening`, async t => {
  let { script, port } = await start(t, 'again', '0')
  t.ok(await isSoonOnce(async () => {
    await script.kill('SIGKILL')
    await registered(consul, 'again', 'critical')
    const started = await start(t, 'again', port)
    script = started.script
    return started.took
  }))
  t.equal((await checksOf(consul, 'again')).length, 1)
})
