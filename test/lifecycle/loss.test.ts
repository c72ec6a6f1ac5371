import t from 'tap'
import { lossAtAgent, lossInCatalog, twinCheckOf } from '../../lib/lifecycle/loss.ts'
import { entryOf, registeredOf, wireServiceOf } from './registered.ts'

const a = 'service:l02:a'
const b = 'service:l02:b'
const registered = registeredOf({ checkId: a })

t.test('nothing is lost of what is as it was written', async t => {
  t.equal(lossAtAgent(registered, wireServiceOf()), undefined)
  t.equal(lossInCatalog(registered, entryOf({}, a)), undefined)
})

t.test('another place is someone else\'s', async t => {
  const loss = { reason: 'someone else changed it: address, port', isGone: false, other: '10.0.0.2:81' }
  t.same(lossAtAgent(registered, wireServiceOf({ Address: '10.0.0.2', Port: 81 })), loss)
  t.same(lossInCatalog(registered, entryOf({ Address: '10.0.0.2', Port: 81 }, b)), loss)
})

t.test('the catalog may list nothing, or no check of ours', async t => {
  t.same(lossInCatalog(registered, undefined), { reason: 'the catalog does not list it', isGone: true })
  t.same(lossInCatalog(registered, entryOf({}, 'serfHealth')), {
    reason: 'the catalog does not list its check', isGone: false
  })
})

t.test('the same with the other check is of a twin', async t => {
  t.equal(twinCheckOf(registered, entryOf({}, b)), b)
  t.equal(twinCheckOf(registered, entryOf({}, 'serfHealth')), undefined)
  t.equal(twinCheckOf(registered, entryOf({ Port: 81 }, b)), undefined)
})
