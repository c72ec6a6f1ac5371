import t, { type Test } from 'tap'
import { fault as catalogRemoval } from './faults/catalog-removal.ts'
import { fault as checkRemoved } from './faults/check-removed.ts'
import type { Fault } from './faults/fault.ts'
import { measure } from './faults/support/measure.ts'

/** Those that are over in a few seconds; `npm run test:faults` runs them all. */
const faults: readonly Fault[] = [checkRemoved, catalogRemoval]

for (const fault of faults) {
  t.test(`${fault.done}: ${fault.promise}`, async t => {
    // Other tests may have the machine to themselves for a second: what is broken is broken twice.
    const first = await brokenBy(t, fault)
    t.equal(first && await brokenBy(t, fault), undefined)
  })
}

async function brokenBy (t: Test, fault: Fault): Promise<string | undefined> {
  const { broken, ...figures } = await measure(fault, text => t.comment(text))
  t.comment(JSON.stringify(figures))
  return broken
}
