import t from 'tap'
import { Turns } from '../../lib/discovery/turns.ts'

/** A piece of work that ends when it is told to. */
function workOf (log: string[], name: string) {
  let resolve = (): void => {}
  let reject = (_: Error): void => {}
  const promise = new Promise<void>((...ends) => { [resolve, reject] = ends })
  const work = () => {
    log.push(name)
    return promise
  }
  return { work, resolve: () => resolve(), reject: (error: Error) => reject(error) }
}

const settle = () => new Promise(resolve => { setImmediate(resolve) })

t.test('so many are in at a time, and the others come in their order', async t => {
  const turns = new Turns(2)
  const log: string[] = []
  const works = ['a', 'b', 'c', 'd'].map(name => workOf(log, name))
  const done = works.map(({ work }) => turns.take(work))
  await settle()
  t.same(log, ['a', 'b'])
  works[1]!.resolve()
  await settle()
  t.same(log, ['a', 'b', 'c'])
  works[0]!.reject(new Error('broken'))
  await t.rejects(done[0]!, { message: 'broken' })
  t.same(log, ['a', 'b', 'c', 'd'], 'who fails makes room too')
  for (const { resolve } of works) resolve()
  await Promise.all(done.slice(1))
  await turns.take(async () => { log.push('later') })
  t.equal(log.at(-1), 'later')
})

t.test('who is turned away never begins; who is in goes on, and others may come', async t => {
  const turns = new Turns(1)
  const log: string[] = []
  const inside = workOf(log, 'inside')
  const first = turns.take(inside.work)
  const waiting = [1, 2].map(() => turns.take(workOf(log, 'turned away').work))
  turns.turnAway(new Error('full'))
  for (const one of waiting) await t.rejects(one, { message: 'full' })
  const next = turns.take(async () => { log.push('next') })
  inside.resolve()
  await Promise.all([first, next])
  t.same(log, ['inside', 'next'])
})

t.test('twenty thousand may wait', async t => {
  const turns = new Turns(1)
  let done = 0
  await Promise.all(Array.from({ length: 20_000 }, () => turns.take(async () => { done++ })))
  t.equal(done, 20_000)
})
