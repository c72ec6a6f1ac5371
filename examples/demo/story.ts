import type { Teardown } from '../../test/support/teardown.ts'
import type { Load, Tally } from './load.ts'
import { number, table, type Screen } from './screen.ts'
import { setStage, startProvider, type Instance, type Stage } from './stage.ts'

/** The whole demo. Resolves to the number of requests that failed. */
export async function tellStory (t: Teardown, screen: Screen): Promise<number> {
  screen.say('Three l02-runtime and one l01-data-layer, each a process configured by its environment alone,')
  screen.say('on a Consul of their own, as some of them are killed')
  const stage = await setStage(t, screen)
  await spread(stage)
  await degrade(stage)
  await leave(stage)
  await crash(stage)
  await comeBack(stage)
  screen.say()
  stage.report.show(screen)
  return stage.report.failed
}

async function spread (stage: Stage): Promise<void> {
  title(stage, 'Spread: 2,000 requests through l01-data-layer to l02-runtime')
  await measure(stage, 'Spread', load => load.send(2000))
}

async function degrade (stage: Stage): Promise<void> {
  const { watcher } = stage
  const { id, cache } = instance(stage, 'l02-runtime-3')
  title(stage, `Degraded: ${id} lost its cache, which it can do without: it gets a tenth of what the others get`)
  const failed = Date.now()
  cache.fail()
  note(stage, 'warning in the catalog', await watcher.seen(id, 'warning') - failed)
  await measure(stage, 'Degraded', load => load.send(420))

  const recovered = Date.now()
  cache.recover()
  note(stage, 'its cache is back: passing again', await watcher.seen(id, 'passing') - recovered)
}

async function leave (stage: Stage): Promise<void> {
  const { watcher } = stage
  const { id, service } = instance(stage, 'l02-runtime-2')
  title(stage, `SIGTERM: ${id} leaves in the middle of the load`)
  await measure(stage, 'SIGTERM', load => load.during(async () => {
    const told = Date.now()
    const gone = watcher.seen(id, 'gone')
    const { code } = await service.end('SIGTERM')
    const ended = Date.now()
    note(stage, 'gone from the catalog', await gone - told)
    note(stage, `ended with exit code ${code}`, ended - told)
    if (code !== 0) throw new Error(`${id} ended with exit code ${code}`)
  }))
}

async function crash (stage: Stage): Promise<void> {
  const { watcher } = stage
  const { id, service } = instance(stage, 'l02-runtime-3')
  title(stage, `SIGKILL: ${id} dies in the middle of the load`)
  await measure(stage, 'SIGKILL', load => load.during(async () => {
    const killed = Date.now()
    await service.end('SIGKILL')
    note(stage, 'critical in the catalog: it is checked once a second', await watcher.seen(id, 'critical') - killed)
  }))
}

async function comeBack (stage: Stage): Promise<void> {
  const { t, agent, watcher } = stage
  const killed = instance(stage, 'l02-runtime-3')
  const { id, cache, service: { port } } = killed
  title(stage, `Started again: ${id}, on the same port, while the catalog still lists it as critical`)
  stage.screen.say('It starts slowly: a tenth of its turns at first, all of them after ten seconds')
  killed.service = await startProvider(t, agent, id, cache, port)
  const passing = await watcher.seen(id, 'passing')
  note(stage, 'passing in the catalog after it listened', passing - killed.service.listeningAt)
  await measure(stage, 'Started again', load => load.send(600))
}

/** Sends load, shows who answered it, and reports it. */
async function measure (
  { screen, consumer, load, report }: Stage, name: string, send: (load: Load) => Promise<Tally>
): Promise<void> {
  const before = await consumer.attempts()
  const tally = await send(load)
  report.add(name, tally, before, await consumer.attempts())
  const answered = tally.requests - tally.failed
  const rows = [...tally.by].sort().map(([id, count]) =>
    [id, number(count), `${(count / answered * 100).toFixed(1)} %`])
  for (const line of table(rows)) screen.say(line)
}

function instance ({ instances }: Stage, id: string): Instance {
  const found = instances.get(id)
  if (found === undefined) throw new Error(`no ${id}`)
  return found
}

function title ({ screen }: Stage, text: string): void {
  screen.say()
  screen.say(text)
}

function note ({ screen }: Stage, what: string, milliseconds: number): void {
  screen.say(`  ${what}: ${number(milliseconds)} ms`)
}
