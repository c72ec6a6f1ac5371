import { writeFile } from 'node:fs/promises'
import t from 'tap'
import { TokenChanges } from '../../lib/consul/token-changes.ts'
import { Token } from '../../lib/consul/token.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { until } from '../support/wait.ts'

t.test('a file is looked at every three seconds as long as anyone listens', async t => {
  const path = `${t.testdir({ token: 'one' })}/token`
  const clock = new ManualClock()
  const token = new Token({ kind: 'file', path })
  await token.read()
  const changes = new TokenChanges(token, clock)
  t.same(clock.pending, [])
  let told = 0
  const stop = changes.subscribe(() => { told++ })
  t.same(clock.pending, [3000])
  clock.advance(3000)
  await writeFile(path, 'two')
  clock.advance(3000)
  await until(() => told === 1)
  stop()
  t.same(clock.pending, [])
  stop()
  t.same(clock.pending, [])
})

t.test('a file that cannot be read is looked at again', async t => {
  const path = `${t.testdir({ token: 'one' })}/token`
  const clock = new ManualClock()
  const token = new Token({ kind: 'file', path })
  await token.read()
  let told = 0
  new TokenChanges(token, clock).subscribe(() => { told++ })
  await writeFile(path, '')
  clock.advance(3000)
  await t.rejects(token.read(), { code: 'FST_CONSUL_TOKEN' })
  await writeFile(path, 'two')
  clock.advance(3000)
  await until(() => told === 1)
})

function ofFunction () {
  const clock = new ManualClock()
  let count = 0
  const token = new Token({ kind: 'function', get: () => `token-${count}` })
  const changes = new TokenChanges(token, clock)
  return {
    clock,
    changes,
    async renew () {
      count++
      await token.read()
    },
    token
  }
}

t.test('a function is not called but by requests, whose new token is told at once, to all', async t => {
  const { clock, changes, renew, token } = ofFunction()
  const told: string[] = []
  changes.subscribe(() => told.push('a'))
  changes.subscribe(() => told.push('b'))
  t.same(clock.pending, [])
  await token.read()
  t.same(told, [])
  await renew()
  t.same(told, ['a', 'b'])
})

t.test('a function whose token is always another one is told every ten seconds', async t => {
  const { clock, changes, renew, token } = ofFunction()
  let told = 0
  changes.subscribe(() => { told++ })
  await token.read()
  for (let i = 0; i < 5; i++) await renew()
  t.equal(told, 1)
  clock.advance(10_000)
  t.equal(told, 2, 'the last one is not lost')
  clock.advance(10_000)
  t.equal(told, 2)
  await renew()
  t.equal(told, 3)
})

t.test('after the end nothing is told', async t => {
  const { clock, changes, renew, token } = ofFunction()
  let told = 0
  changes.subscribe(() => { told++ })
  await token.read()
  await renew()
  await renew()
  changes.close()
  t.same(clock.pending, [])
  await renew()
  t.equal(told, 1)
})
