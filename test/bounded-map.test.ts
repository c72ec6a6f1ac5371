import t from 'tap'
import { BoundedMap } from '../lib/bounded-map.ts'

t.test('the values of the last keys that were used are there, whoever came first', async t => {
  const map = new BoundedMap<string, number>(10)
  map.set('busy', 1)
  for (let junk = 0; junk < 1000; junk++) {
    map.set(`junk${junk}`, junk)
    t.equal(map.get('busy'), 1)
    for (let last = Math.max(0, junk - 8); last <= junk; last++) t.equal(map.get(`junk${last}`), last)
  }
})

t.test('there are never more than twice as many', async t => {
  const map = new BoundedMap<string, number>(10)
  for (let junk = 0; junk < 1000; junk++) map.set(`junk${junk}`, junk)
  const left = Array.from({ length: 1000 }, (_, junk) => junk).reverse().filter(junk => map.get(`junk${junk}`) === junk)
  t.same(left, Array.from({ length: left.length }, (_, index) => 999 - index), 'the last ones')
  t.equal(left.length >= 10 && left.length <= 20, true, `${left.length} are left`)
})

t.test('a value that is set anew is the new one', async t => {
  const map = new BoundedMap<string | undefined, number>(2)
  map.set(undefined, 1)
  map.set('a', 2)
  map.set('b', 3)
  map.set(undefined, 4)
  t.equal(map.get(undefined), 4)
  t.equal(map.get('never'), undefined)
})
