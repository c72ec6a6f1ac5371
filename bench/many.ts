import { setTimeout as delay } from 'node:timers/promises'
import { addInstances, setStatus, type CatalogInstance } from '../test/faults/support/catalog.ts'
import { startSubject } from '../test/faults/support/subject.ts'
import type { LargeListFigures } from '../test/faults/subjects/large-list.ts'
import type { ManyServicesFigures } from '../test/faults/subjects/many-services.ts'
import { startConsul } from '../test/support/consul.ts'
import { until } from '../test/support/wait.ts'
import { scoped } from './support/scope.ts'
import { median } from './support/statistics.ts'

export interface ManyFigures {
  /** With 1,000 services of three instances each: while nothing happens, and with so many changes a second. */
  readonly services: { readonly idle: Load, readonly churn: Load, readonly changes: number }
  /**
   * Milliseconds for which the event loop stands still when one of 10,000 instances changes, and which turning the
   * answer to objects takes, measured beside each of them. Medians.
   */
  readonly flip: { readonly own: number, readonly parse: number }
}

interface Load {
  /** Share of one processor, in percent. */
  readonly cpu: number
  /** MB. */
  readonly heap: number
}

const services = 1000
/** A second. */
const changes = 50
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
    const began = performance.now()
    let change = 0
    for (; performance.now() - began < seconds * 1000; change++) {
      const instance = instances[(change >> 1) * 7 % instances.length] as CatalogInstance
      await setStatus(api, { ...instance, status: change % 2 === 0 ? 'critical' : 'passing' })
      await delay(Math.max(0, began + change * 1000 / changes - performance.now()))
    }
    const churn = await subject.figures()
    return { idle: loadOf(idle), churn: loadOf(churn), changes: change * 1000 / (performance.now() - began) }
  })
}

function loadOf ({ cpu, heap }: ManyServicesFigures): Load {
  return { cpu, heap }
}

async function largeList (flips: number): Promise<ManyFigures['flip']> {
  return await scoped(async scope => {
    const { api, url } = await startConsul(scope, { persist: true })
    const instances = Array.from({ length: large }, (_, index) => {
      return { name: 'large', id: `large-${index}`, port: 1 + index }
    })
    await addInstances(api, instances)
    const subject = await startSubject<LargeListFigures>(scope, 'large-list', { url, name: 'large' })
    const one = instances[large / 2] as CatalogInstance
    const owns: number[] = []
    const parses: number[] = []
    for (let flip = 1; flip <= flips; flip++) {
      // What was before does not count.
      await subject.figures()
      await setStatus(api, { ...one, status: flip % 2 === 1 ? 'critical' : 'passing' })
      const { own, parse } = await until(async () => {
        const figures = await subject.figures()
        return figures.changes >= flip && figures
      }, { interval: 500 })
      owns.push(own)
      parses.push(parse)
    }
    return { own: median(owns), parse: median(parses) }
  })
}
