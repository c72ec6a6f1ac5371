import t from 'tap'
import { effectiveWeight, positiveWeights } from '../../lib/balancing/weights.ts'
import { instance } from './helpers.ts'

t.test('the weight of an instance', async t => {
  const cases = [
    { status: 'passing', passing: 1, warning: 1, weight: 1 },
    { status: 'passing', passing: 7, warning: 1, weight: 7 },
    { status: 'warning', passing: 1, warning: 1, weight: 0.1 },
    { status: 'warning', passing: 7, warning: 7, weight: 0.7 },
    { status: 'warning', passing: 7, warning: 2, weight: 2 },
    { status: 'warning', passing: 1, warning: 0, weight: 0 }
  ] as const
  for (const { status, passing, warning, weight } of cases) {
    const actual = effectiveWeight(instance({ status, weights: { passing, warning } }), 0.1)
    t.equal(actual.toFixed(6), weight.toFixed(6), `${status} with ${passing}/${warning}`)
  }
})

t.test('a warning share of 0 leaves an instance in warning nothing, one of 1 everything', async t => {
  t.equal(effectiveWeight(instance({ status: 'warning' }), 0), 0)
  t.equal(effectiveWeight(instance({ status: 'warning' }), 1), 1)
})

t.test('weights that are all 0 count the same', async t => {
  t.same([...positiveWeights([{ weight: 0 }, { weight: 0 }])], [1, 1])
  t.same([...positiveWeights([{ weight: 0 }, { weight: 2 }])], [0, 2])
})
