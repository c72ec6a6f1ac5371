import fc from 'fast-check'
import t from 'tap'
import { plainCheck, plainService, type Agent, type Json } from './agent.ts'
import { devAgent, realAgent } from './targets.ts'

/** One change at an agent. @returns what it answers */
interface Operation {
  /** For the report of a difference. */
  readonly words: string
  run (agent: Agent): Promise<unknown>
}

const agents = [await devAgent(t), await realAgent(t)] as const

const names = ['a', 'b'] as const
const serviceIds = ['1', '2', '3'] as const
const checkIds = ['x', 'y', 'z'] as const
const statuses = ['passing', 'warning', 'critical'] as const

const status = fc.constantFrom(...statuses)
const serviceId = fc.constantFrom(...serviceIds)
const checkId = fc.constantFrom(...checkIds)
const output = fc.constantFrom('', 'one', 'two')

const check = fc.record({
  CheckID: checkId, TTL: fc.constant('1h'), Status: status, Notes: fc.constantFrom('', 'noted')
}, { requiredKeys: ['CheckID', 'TTL'] })

const definition = fc.record({
  ID: serviceId,
  Port: fc.integer({ min: 0, max: 2 }),
  Tags: fc.uniqueArray(fc.constantFrom('t', 'u')),
  Meta: fc.constantFrom({}, { k: 'v' }),
  Address: fc.constantFrom('', '10.0.0.1'),
  Checks: fc.uniqueArray(check, { selector: ({ CheckID }) => CheckID, maxLength: 2 })
}, { requiredKeys: ['ID', 'Tags', 'Meta'] }) // To Consul, none and an empty one are a difference.

/** An id keeps its name: older versions do not tell the watchers of the old one. */
const named = ({ ID, ...rest }: { ID: string }): Json => ({ ID, Name: ID === '3' ? 'b' : 'a', ...rest })

/** Older versions say nothing of what they do not know, or 500. */
const knows = (answered: { status: number, text: string }, agent: Agent, known: boolean): unknown =>
  known || agent.tellsUnknown ? answered.status : 404

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(definition, fc.boolean()).map(([definition, replace]) => ({
      words: `register ${JSON.stringify(definition)} ${replace ? 'replacing' : ''}`,
      run: async (agent: Agent) =>
        (await agent.put(`/service/register${replace ? '?replace-existing-checks' : ''}`, named(definition))).status
    }))
  },
  {
    weight: 1,
    arbitrary: serviceId.map(id => ({
      words: `deregister ${id}`,
      run: async (agent: Agent) => {
        const known = (await agent.service(id)).status === 200
        return knows(await agent.put(`/service/deregister/${id}`), agent, known)
      }
    }))
  },
  {
    weight: 1,
    arbitrary: checkId.map(id => ({
      words: `deregister check ${id}`,
      run: async (agent: Agent) => {
        const known = await agent.check(id) !== undefined
        return knows(await agent.put(`/check/deregister/${id}`), agent, known)
      }
    }))
  },
  {
    weight: 4,
    arbitrary: fc.tuple(checkId, status, output).map(([id, status, output]) => ({
      words: `tell ${id} ${status} ${output}`,
      run: async (agent: Agent) => {
        const known = await agent.check(id) !== undefined
        return knows(await agent.update(id, status, output), agent, known)
      }
    }))
  },
  {
    weight: 2,
    arbitrary: fc.tuple(serviceId, fc.boolean(), output).map(([id, on, reason]) => ({
      words: `maintenance of ${id} ${on ? `on ${reason}` : 'off'}`,
      run: async (agent: Agent) => (await agent.maintenance(id, `enable=${on}&reason=${reason}`)).status
    }))
  }
)

/** All that can be asked, and whether the index of each name has moved. */
class Observer {
  readonly #agent: Agent
  #indexes: number[] = []

  constructor (agent: Agent) {
    this.#agent = agent
  }

  async look (): Promise<Json> {
    const agent = this.#agent
    const services = await Promise.all(serviceIds.map(async id => {
      const { status, json } = await agent.service(id)
      return status === 200 ? plainService(json) : status
    }))
    const checks = await Promise.all(checkIds.map(async id => {
      const found = await agent.check(id)
      return found === undefined ? undefined : plainCheck(found)
    }))
    const health = await Promise.all([...names, 'nobody'].map(name => agent.health(name)))
    const passing = await Promise.all(names.map(name => agent.health(name, 'passing&tag=t')))
    const listed = await agent.api<Record<string, string[]>>('GET', '/v1/catalog/services')
    const indexes = [...health.map(({ index }) => index), Number(listed.headers['x-consul-index'])]
    const moved = indexes.map((index, position) => index > (this.#indexes[position] ?? index))
    const back = indexes.some((index, position) => index < (this.#indexes[position] ?? 0))
    this.#indexes = indexes
    return {
      services,
      checks,
      health: health.map(({ entries }) => entries),
      passing: passing.map(({ entries }) => entries),
      listed: names.map(name => listed.json[name]?.sort()),
      moved,
      back
    }
  }
}

async function clear (agent: Agent): Promise<void> {
  await Promise.all(serviceIds.map(id => agent.deregister(id)))
}

t.test('whatever is done to both, the development agent answers as Consul does', async t => {
  await fc.assert(fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 15 }), async operations => {
    await Promise.all(agents.map(clear))
    const observers = [new Observer(agents[0]), new Observer(agents[1])] as const
    await Promise.all(observers.map(observer => observer.look()))
    for (const { run } of operations) {
      const [own, real] = await Promise.all(agents.map(run))
      if (own !== real) throw new Error(`answered ${String(own)}, Consul ${String(real)}`)
      const [seen, there] = await Promise.all([observers[0].look(), observers[1].look()])
      for (const [part, value] of Object.entries(there)) {
        const [shown, expected] = [JSON.stringify(seen[part]), JSON.stringify(value)]
        if (shown !== expected) throw new Error(`${part}: shows ${shown}, Consul ${expected}`)
      }
    }
  }), { seed: 20_251_123, numRuns: 40, interruptAfterTimeLimit: 60_000 })
  t.pass()
})
