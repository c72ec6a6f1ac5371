import { getEventListeners } from 'node:events'
import t from 'tap'
import { abortable } from '../lib/abortable.ts'

t.test('without an abort the result is the promise\'s own, and no listener stays', async t => {
  const { signal } = new AbortController()
  t.equal(await abortable(Promise.resolve(7), signal), 7)
  await t.rejects(abortable(Promise.reject(new Error('own')), signal), { message: 'own' })
  await Promise.resolve()
  t.equal(getEventListeners(signal, 'abort').length, 0)
})

t.test('an abort that comes first rejects with its reason', async t => {
  const controller = new AbortController()
  const waiting = abortable(new Promise(() => {}), controller.signal)
  controller.abort(new Error('enough'))
  await t.rejects(waiting, { message: 'enough' })
})

t.test('what was aborted before it began rejects, and the promise may fail unheard', async t => {
  const failing = new Promise((_resolve, reject) => setImmediate(reject, new Error('unheard')))
  await t.rejects(abortable(failing, AbortSignal.abort(new Error('enough'))), { message: 'enough' })
  await new Promise(setImmediate)
  await new Promise(setImmediate)
})
