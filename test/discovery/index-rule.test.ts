import fc from 'fast-check'
import t from 'tap'
import { stepIndex } from '../../lib/discovery/index-rule.ts'

const rules: [what: string, previous: string | undefined, received: string | undefined, next: string | undefined][] = [
  ['the first answer', undefined, '7', '7'],
  ['a newer answer', '7', '9', '9'],
  ['an answer without a change', '7', '7', '7'],
  ['an older answer begins anew', '9', '7', undefined],
  ['an agent that was restarted empty begins anew', '57', '7', undefined],
  ['a reset view looks like index 1 and begins anew', '57', '1', undefined],
  ['index 0 would not block: it counts as 1', undefined, '0', '1'],
  ['index 0 after 1 is no step back', '1', '0', '1'],
  ['no header counts as 1', undefined, undefined, '1'],
  ['no header after an index begins anew', '57', undefined, undefined],
  ['an empty header counts as 1', undefined, '', '1'],
  ['what is no number counts as 1', undefined, 'seven', '1'],
  ['a negative one counts as 1', undefined, '-7', '1'],
  ['a float counts as 1', undefined, '7.5', '1'],
  ['more digits than a uint64 counts as 1', undefined, '9'.repeat(21), '1'],
  ['one more than the largest uint64 counts as 1', undefined, '18446744073709551616', '1'],
  ['beyond 2^53 a difference of one is seen', '9007199254740992', '9007199254740993', '9007199254740993'],
  ['beyond 2^53 a step back of one is seen', '9007199254740993', '9007199254740992', undefined],
  ['the largest uint64', '18446744073709551614', '18446744073709551615', '18446744073709551615']
]

for (const [what, previous, received, next] of rules) {
  t.test(what, async t => {
    t.same(stepIndex(previous, received), { next, valid: next !== undefined })
  })
}

const header = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String), fc.string(), fc.constant(undefined))

t.test('whatever comes, the next index is at least 1 and not smaller than the last, or there is none', async () => {
  fc.assert(fc.property(fc.array(header), headers => {
    let cursor: string | undefined
    for (const received of headers) {
      const { next, valid } = stepIndex(cursor, received)
      if (valid !== (next !== undefined)) return false
      if (next !== undefined && BigInt(next) < 1n) return false
      if (next !== undefined && cursor !== undefined && BigInt(next) < BigInt(cursor)) return false
      cursor = next
    }
    return true
  }), { seed: 1 })
})

t.test('an answer after a new beginning always counts: the watch cannot get stuck', async () => {
  fc.assert(fc.property(header, received => stepIndex(undefined, received).valid), { seed: 1 })
})

t.test('indexes that only grow always count, as they came', async () => {
  const growing = fc.array(fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }), { minLength: 1 })
    .map(indexes => indexes.toSorted((a, b) => (a < b ? -1 : Number(a > b))).map(String))
  fc.assert(fc.property(growing, indexes => {
    let cursor: string | undefined
    return indexes.every(index => {
      cursor = stepIndex(cursor, index).next
      return cursor === index
    })
  }), { seed: 1 })
})
