import { startConsul } from '../support/consul.ts'
import { until } from '../support/wait.ts'
import type { Fault } from './fault.ts'
import type { LargeListFigures } from './subjects/large-list.ts'
import { addInstances, setStatus, type CatalogInstance } from './support/catalog.ts'
import { median } from './support/statistics.ts'
import { startSubject } from './support/subject.ts'
import { verdict } from './support/verdict.ts'

const name = 'large'
const count = 10_000
const flips = 10
/** What a flip may cost beside turning Consul's answer into objects, which nobody can spare us. Milliseconds. */
const allowed = 20

export const fault: Fault = {
  name: 'ten-thousand-instances',
  done: `one of ${count} instances turns critical and passing again, ${flips} times`,
  promise: `the caller's event loop stands still ${allowed} ms longer at most than JSON.parse alone takes`,

  async run (t) {
    const { api, url } = await startConsul(t, { persist: true })
    const instances = Array.from({ length: count }, (_, index) => ({ name, id: `${name}-${index}`, port: 1 + index }))
    await addInstances(api, instances)
    const subject = await startSubject<LargeListFigures>(t, 'large-list', { url, name })
    const before = await subject.figures()
    if (before.instances !== count) throw new Error(`${before.instances} instances were found`)
    const one = instances[count / 2] as CatalogInstance
    const stalls: number[] = []
    const owns: number[] = []
    const parses: number[] = []
    for (let flip = 1; flip <= flips; flip++) {
      await subject.figures()
      await setStatus(api, { ...one, status: flip % 2 === 1 ? 'critical' : 'passing' })
      const { stall, own, parse } = await until(async () => {
        // Now and then only, as the look itself costs something.
        const figures = await subject.figures()
        return figures.changes >= flip && figures
      }, { interval: 500 })
      stalls.push(stall)
      owns.push(own)
      parses.push(parse)
      t.log(`flip ${flip}: stood still for ${stall.toFixed(1)} ms, ${own.toFixed(1)} ms without other processes, ` +
        `JSON.parse alone took ${parse.toFixed(1)} ms`)
    }
    const parse = median(parses)
    const beyond = median(owns) - parse
    return {
      note: `${before.megabytes.toFixed(1)} MB an answer. Standstills of ${median(stalls).toFixed(0)} ms (median), ` +
        `${median(owns).toFixed(0)} ms without the time that other processes took; ` +
        `JSON.parse alone at the same time: ${parse.toFixed(0)} ms`,
      ...verdict(beyond > allowed && `${beyond.toFixed(0)} ms longer`)
    }
  }
}
