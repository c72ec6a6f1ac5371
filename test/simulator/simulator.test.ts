import { readFile } from 'node:fs/promises'
import t from 'tap'
import { simulate } from './run.ts'
import { scenarios, stopped } from './scenarios.ts'
import { simulateAll, strategies, tableOf } from './table.ts'

const results = simulateAll()
const rounded = (number: number, digits: number): number => Number(number.toFixed(digits))

t.test('one of eleven instances slow by 2 s: peak-ewma answers 99.9 % within a second, round-robin 95.5 %', async t => {
  const within = (strategy: typeof strategies[number]) => rounded(results.buoyant[strategy].within(1000), 2)
  t.same(strategies.map(within), [95.47, 95.5, 99.69, 99.95])
})

t.test('one of ten ten times as slow: p99 with peak-ewma is hardly above that of healthy ones', async t => {
  const ratio = results.slow['peak-ewma'].p99 / results.healthy['peak-ewma'].p99
  t.equal(rounded(ratio, 2), 1.06)
  t.equal(ratio <= 1.15, true)
})

t.test('one of ten failing fast: at most 0.01 % of the requests fail, at 1.01 attempts a request', async t => {
  for (const { errors, attempts } of strategies.map(strategy => results.permanentFailure[strategy])) {
    t.equal(errors <= 0.01, true, `${errors} %`)
    t.equal(attempts <= 1.01, true, `${attempts} attempts`)
  }
})

t.test('without retries, ejection alone keeps the failures of one in ten to a few', async t => {
  const failed = (options: object) => rounded(
    simulate(scenarios.permanentFailure, { strategy: 'least-request', retries: 0, ...options }).errors, 1)
  t.equal(failed({ outlier: false }), 29.6, 'who fails fast is always free')
  t.equal(failed({}), 0.1)
})

t.test('one of three stopped: its share is gone within a second, and back within 30 s after it goes on', async t => {
  const { shareOf, errors } = simulate(stopped, { strategy: 'peak-ewma' })
  t.equal(errors, 0)
  t.equal(shareOf(0, 11_000, 30_000) < 1, true, `${shareOf(0, 11_000, 30_000)} %`)
  t.equal(shareOf(0, 58_000, 62_000) > 80 / 3, true, `${shareOf(0, 58_000, 62_000)} %`)
})

t.test('a total outage costs at most a quarter more attempts than there are requests', async t => {
  for (const { attempts } of strategies.map(strategy => results.outage[strategy])) {
    t.equal(attempts <= 1.25, true, `${attempts} attempts`)
  }
})

t.test('where all are asked for too much, ejection makes nothing worse', async t => {
  for (const load of [0.8, 1.05, 1.5]) {
    const scenario = { ...scenarios.overload, rate: 4000 * load, duration: 2000 }
    for (const strategy of ['round-robin', 'peak-ewma'] as const) {
      const [without, withIt] = [false as const, undefined].map(outlier =>
        simulate(scenario, { strategy, ...(outlier === false && { outlier }) }).errors)
      t.equal(withIt! <= without! + 0.1, true, `${withIt} % fail at a load of ${load}, ${without} % without it`)
    }
  }
})

t.test('the same seed gives the same figures, another seed others', async t => {
  const scenario = { ...scenarios.busy, duration: 2000 }
  const run = (seed: number) => JSON.stringify(simulate(scenario, { strategy: 'random' }, seed))
  t.equal(run(1), run(1))
  t.not(run(1), run(2))
})

t.test('docs/balancing.md has the figures', async t => {
  const docs = await readFile(new URL('../../docs/balancing.md', import.meta.url), 'utf8')
  for (const line of tableOf(results).split('\n')) t.equal(docs.includes(line), true, line)
})
