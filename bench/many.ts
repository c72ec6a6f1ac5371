import { setTimeout as delay } from 'node:timers/promises'
import { addInstances, setStatus } from '../test/faults/support/catalog.ts'
import { startSubject } from '../test/faults/support/subject.ts'
import type { LargeListFigures } from '../test/faults/subjects/large-list.ts'
import type { ManyServicesFigures } from '../test/faults/subjects/many-services.ts'
import { startConsul } from '../test/support/consul.ts'
import { until } from '../test/support/wait.ts'
import { scoped } from './support/scope.ts'
import { median } from './support/statistics.ts'

export interface ManyFigures {
  /** Share of one processor, in percent, and MB of heap, with 1,000 services of three instances each. */
  readonly services: Record<'idle' | 'churn', { readonly cpu: number, readonly heap: number }>
  /** Milliseconds for which the event loop stands still when one of 10,000 instances changes. */
  readonly flip: { readonly own: number, readonly parse: number }
}

const services = 1000
const large = 10_000

/** Very many services, and very many instances of one. */
export async function benchMany (seconds: number, flips: number): Promise<ManyFigures> {
  return { services: await manyServices(seconds), flip: await largeList(flips) }
}

async function manyServices (seconds: number): Promise<ManyFigures['services']> {
  return await scoped(async scope => {
    const { api, url } = await startConsul(scope, { persist: true })
    const names = Array.from({ length: services }, (_, index) => `service-${index}`)
    const instances = names.flatMap(name => [1, 2, 3].map(port => ({ name, id: `${name}-${port}`, port })))
    await addInstances(api, instances)
    const subject = await startSubject<ManyServicesFigures>(scope, 'many-services', { url, names, often: 40 })
    await delay(5000)
    await subject.figures()
    await delay(seconds * 1000)
    const idle = await subject.figures()
    for (let change = 0; change < seconds * 50; change++) {
      const status = change % 2 === 0 ? 'critical' : 'passing'
      await setStatus(api, { ...instances[change % instances.length]!, status })
      await delay(15)
    }
    return { idle, churn: await subject.figures() }
  })
}

async function largeList (flips: number): Promise<ManyFigures['flip']> {
  return await scoped(async scope => {
    const { api, url } = await startConsul(scope, { persist: true })
    const instances = Array.from({ length: large }, (_, index) => {
      return { name: 'large', id: `large-${index}`, port: 1 + index }
    })
    await addInstances(api, instances)
    const subject = await startSubject<LargeListFigures>(scope, 'large-list', { url, name: 'large' })
    const { parse } = await subject.figures()
    const own: number[] = []
    for (let flip = 1; flip <= flips; flip++) {
      await setStatus(api, { ...instances[large / 2]!, status: flip % 2 === 1 ? 'critical' : 'passing' })
      const figures = await until(async () => {
        const now = await subject.figures()
        return now.changes >= flip && now
      }, { interval: 500 })
      own.push(figures.own)
    }
    return { own: median(own), parse }
  })
}
