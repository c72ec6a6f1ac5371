import { setTimeout as delay } from 'node:timers/promises'
import { startConsul } from '../support/consul.ts'
import { startCountingProxy } from '../support/counting-proxy.ts'
import type { Fault } from './fault.ts'
import { startMember } from './support/member.ts'
import { verdict } from './support/verdict.ts'

const watched = 60_000
const mostWrites = 10

export const fault: Fault = {
  name: 'id-conflict',
  done: 'two processes with one id and different ports, for a minute; their writes are counted on the way to the agent',
  promise: `at most ${mostWrites} writes a minute, and one of them says that there is a conflict`,
  async run (t) {
    const { url } = await startConsul(t)
    const proxy = await startCountingProxy(t, url)
    const options = { url: proxy.url, service: { name: 'twin', id: 'twin' } }
    const twins = [await startMember(t, { options }), await startMember(t, { options })]
    await delay(watched)
    const writes = proxy.requests.filter(({ method }) => method === 'PUT')
    const states = await Promise.all(twins.map(twin => twin.registration()))
    for (const { method, url } of writes) t.log(`${method} ${url}`)
    for (const { msg } of twins.flatMap(({ lines }) => lines)) t.log(msg)
    return {
      queries: proxy.requests.length,
      note: `${writes.length} writes; at the end ${states.join(' and ')}`,
      ...verdict(
        writes.length > mostWrites && `${writes.length} writes`,
        !states.includes('conflict') && `at the end ${states.join(' and ')}`)
    }
  }
}
