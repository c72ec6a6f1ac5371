import t from 'tap'
import { firstFound, fromEnvironment } from './first-found.ts'

const nothing = { name: 'nothing', find: async () => { throw new Error('is not there\nat all') } }

t.test('the first place that has it wins, later ones are not asked', async t => {
  const here = { name: 'here', find: async () => 'x' }
  const later = { name: 'later', find: async () => String(t.fail('asked')) }
  t.equal(await firstFound('x', 'install x', [nothing, here, later]), 'x')
})

t.test('when no place has it the error says what to install and where it was looked', async t => {
  await t.rejects(firstFound('x', 'install x', [nothing, nothing]), {
    message: 'No x found: install x. Looked for:\n  nothing: is not there\n  nothing: is not there'
  })
})

t.test('an unset variable is named', async t => {
  t.throws(() => fromEnvironment('FASTIFY_CONSUL_UNSET'), { message: 'FASTIFY_CONSUL_UNSET is not set' })
})
