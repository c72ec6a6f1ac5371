import t from 'tap'
import { messageOf, resultOf } from '../../lib/health/result.ts'

t.test('a check that resolves to nothing, to true or to an answer without a status is healthy', async t => {
  for (const value of [undefined, null, true, {}, [], { rows: [{ one: 1 }] }, new Date(0)]) {
    t.same(resultOf(value), { status: 'healthy' }, String(value))
  }
})

t.test('a status is taken at its word, alone or with a message', async t => {
  t.same(resultOf('healthy'), { status: 'healthy' })
  t.same(resultOf('degraded'), { status: 'degraded' })
  t.same(resultOf('unhealthy'), { status: 'unhealthy' })
  t.same(resultOf({ status: 'degraded', message: 'lags by 3 s' }), { status: 'degraded', message: 'lags by 3 s' })
  t.same(resultOf({ status: 'degraded', message: 3, checks: {} }), { status: 'degraded' })
})

t.test('what may have been meant as a status and is none is unhealthy, and says what came', async t => {
  const values: Array<[unknown, string]> = [
    [false, 'false'], [0, '0'], ['', '""'], ['Healthy', '"Healthy"'], [1n, '1'], [Symbol('x'), 'Symbol(x)'],
    [{ status: 'ok' }, '"ok"'], [new Response(null, { status: 500 }), '500'], [{ status: undefined }, 'undefined'],
    [Object.create({ status: null }), 'null']
  ]
  for (const [value, shown] of values) {
    const message = `resolved to ${shown}, which is none of healthy, degraded and unhealthy`
    t.same(resultOf(value), { status: 'unhealthy', message })
  }
  t.match(resultOf(() => true), { status: 'unhealthy', message: /resolved to \(\) ?=> ?true/ })
})

t.test('whatever is thrown has a text', async t => {
  t.equal(messageOf(new Error('no')), 'no')
  t.equal(messageOf('no'), 'no')
  t.equal(messageOf(undefined), 'failed without a reason')
  t.equal(messageOf(null), 'failed without a reason')
  t.equal(messageOf(7), '7')
  t.equal(messageOf({ message: 'from another realm' }), 'from another realm')
  t.equal(messageOf({ code: 'ECONNREFUSED', message: '' }), 'ECONNREFUSED')
  t.equal(messageOf(new AggregateError([new Error('a'), 'b'])), 'a; b')
  t.equal(messageOf({}), '[object Object]')
  t.equal(messageOf(new Error('x'.repeat(600))), 'x'.repeat(500) + '…')
})

t.test('an error that cannot be read has a text too', async t => {
  const text = 'failed with an error that cannot be read'
  t.equal(messageOf({ get message (): string { throw new Error('trap') } }), text)
  t.equal(messageOf(Object.create(null)), text)
  t.equal(messageOf(new Proxy({}, { has () { throw new Error('trap') } })), text)
})
