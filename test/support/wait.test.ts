import { EventEmitter } from 'node:events'
import t from 'tap'
import { once, until } from './wait.ts'

t.test('until gives the first truthy value', async t => {
  let looks = 0
  t.equal(await until(() => ++looks === 3 && looks, { what: 'three looks' }), 3)
})

t.test('a condition that throws is not met yet', async t => {
  let looks = 0
  const value = await until(async () => {
    if (++looks < 3) throw new Error('not yet')
    return looks
  })
  t.equal(value, 3)
})

t.test('after the time limit the error says what was missing and what was seen', async t => {
  const waiting = until(() => Promise.reject(new Error('nobody')), { timeout: 20, what: 'a leader' })
  await t.rejects(waiting, { message: 'waited 20 ms for a leader; last seen: Error: nobody' })
})

t.test('once gives the value of the next event, or says which one did not come', async t => {
  const emitter = new EventEmitter()
  const waiting = once<number>(emitter, 'done')
  emitter.emit('done', 7)
  t.equal(await waiting, 7)
  await t.rejects(once(emitter, 'done', 20), { message: 'waited 20 ms for the event done' })
})
