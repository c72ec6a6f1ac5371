import { createServiceRegistry, type ServiceRegistry } from 'fastify-consul'
import { pino } from 'pino'
import type { Teardown } from '../../test/support/teardown.ts'
import { findAgent, type Agent } from '../shared/agent.ts'
import type { Board } from './board.ts'
import { countCalls, Ledger } from './counts.ts'
import { evidenceOf } from './evidence.ts'
import { createFleet, type Fleet } from './fleet.ts'
import { callsOfARequest, topOf } from './layers.ts'
import { Load } from './load.ts'
import { report } from './report.ts'
import { rollOut, type Replacement } from './rollout.ts'
import type { Settings } from './settings.ts'
import { findStores } from './stores.ts'
import { summaryOf, topologyOf } from './topology.ts'

/** Starts the platform and replaces each of its processes under load. Resolves to whether anything failed. */
export async function tellStory (t: Teardown, board: Board, settings: Settings): Promise<boolean> {
  const { platform, mode } = settings
  board.say(`${platform.length} service layers, each a process of its own, in mode ${mode}`)
  const [agent, stores] = await Promise.all([
    mode === 'static' ? undefined : findAgent(t, process.env),
    findStores(t)
  ])
  for (const line of [agent?.description ?? 'Consul is not asked', ...stores.descriptions]) board.say(line)
  board.say()

  const ledger = new Ledger()
  const fleet = await createFleet(t, {
    platform, mode, agent, stores: stores.env, onCounts: (pid, counts) => ledger.enter(String(pid), counts)
  })
  const stopDrawing = draw(t, board, fleet, ledger)
  await Promise.all(fleet.crews.map(crew => crew.start(crew.port)))

  ledger.enter('gateway', countCalls())
  const url = `http://${topOf(platform).name}/execute`
  const gateway = openGateway(t, settings, agent, fleet)
  const load = new Load(gateway, { url, worked: callsOfARequest(platform) })
  const replacements: Replacement[] = []
  await load.during(() => rollOut(fleet.crews, settings, done => {
    board.say(`${done.crew.layer.name} replaced in ${(done.took / 1000).toFixed(1)} s`)
    replacements.push(done)
  }))
  await Promise.all(fleet.crews.flatMap(({ instances }) => instances.map(instance => instance.ask())))
  if (!settings.stay) stopDrawing()
  board.clear()
  const hasFailed = report(board, { crews: fleet.crews, load, ledger, replacements })
  if (mode === 'register') for (const line of await evidenceOf(gateway, platform)) board.say(line)
  return hasFailed
}

/** A caller as a gateway at the edge is one: it finds the layer at the top as the layers find each other. */
function openGateway (
  t: Teardown, { mode }: Settings, agent: Agent | undefined, { addresses }: Fleet
): ServiceRegistry {
  const gateway = createServiceRegistry('gateway', 0, {
    ...(agent !== undefined && { url: agent.url }),
    mode,
    fallback: addresses,
    logger: pino({ level: 'silent' })
  })
  t.teardown(() => gateway.close())
  return gateway
}

/** @returns what ends it */
function draw (t: Teardown, board: Board, { crews }: Fleet, ledger: Ledger): () => void {
  const timer = setInterval(() => {
    board.show({ lines: topologyOf(crews, ledger), summary: summaryOf(crews, ledger) })
  }, 100)
  const stop = (): void => clearInterval(timer)
  t.teardown(stop)
  return stop
}
