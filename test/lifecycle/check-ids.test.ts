import t from 'tap'
import { checkIdsFor, type PresentChecks } from '../../lib/lifecycle/check-ids.ts'
import { registeredOf } from './registered.ts'

const a = 'service:l02:a'
const b = 'service:l02:b'
const of = (Type: string, Status: 'passing' | 'critical'): PresentChecks[string] => ({ Type, Status })
const http = of('http', 'passing')

/** To be written with an http check that is passing: which id, at first and once more after a. */
const table: Record<string, [present: PresentChecks, atFirst: string, onceMore: string]> = {
  'none is there': [{}, a, a],
  'a is there': [{ [a]: http }, b, a],
  'b is there': [{ [b]: http }, a, b],
  'both are there': [{ [a]: http, [b]: http }, a, b],
  'both are there, one with another status': [{ [a]: http, [b]: of('http', 'critical') }, a, a],
  'another status': [{ [a]: of('http', 'critical') }, b, b],
  'another status under b': [{ [b]: of('http', 'critical') }, a, a],
  'another type': [{ [a]: of('tcp', 'passing') }, b, b],
  'no type, as in old versions': [{ [a]: { Status: 'passing' } }, b, b],
  'checks of others': [{ other: http }, a, a]
}

for (const [name, [present, atFirst, onceMore]] of Object.entries(table)) {
  t.test(name, async t => {
    const ids = (last?: string) => checkIdsFor(registeredOf(), 'passing', present, last)
    t.match(ids(), { checkId: atFirst, other: atFirst === a ? b : a, isKept: false })
    t.match(ids(a), { checkId: onceMore, other: onceMore === a ? b : a, isKept: present[onceMore] === http })
  })
}
