import type { Test } from 'tap'
import { waiting, type Agent } from './agent.ts'

/** Of blocking queries that nothing wakes. */
const short = 400

export async function blocking (t: Test, agent: Agent): Promise<void> {
  const check = (id: string, Status = 'passing'): object => ({ CheckID: id, TTL: '1h', Status })

  t.test('every change of a service moves its index and wakes who waits', async t => {
    const changes: Record<string, () => Promise<unknown>> = {
      'it appears': () => agent.register({ ID: 'b-1', Name: 'b', Check: check('b:1') }),
      'another instance': () => agent.register({ ID: 'b-2', Name: 'b' }),
      'a new definition': () => agent.register({ ID: 'b-1', Name: 'b', Port: 1 }),
      'a status': () => agent.update('b:1', 'critical', 'ill'),
      'maintenance begins': () => agent.maintenance('b-1', 'enable=true'),
      'maintenance ends': () => agent.maintenance('b-1', 'enable=false'),
      'a check more': () => agent.register({ ID: 'b-1', Name: 'b', Port: 1, Check: check('b:2') }),
      'a check less': () => agent.put('/check/deregister/b:2'),
      'an instance leaves': () => agent.deregister('b-2'),
      'the last one leaves': () => agent.deregister('b-1')
    }
    for (const [what, change] of Object.entries(changes)) {
      const { index, answer } = await agent.watch('b')
      await change()
      const next = await answer
      t.ok(next.index > index, `${what}: ${index} to ${next.index}`)
      t.ok(next.took < 5000, what)
      t.strictSame(next.entries, (await agent.health('b')).entries, `${what}: what woke is seen`)
    }
  })

  t.test('who waits for a name in another case is woken', async t => {
    await agent.register({ ID: 'Woken-1', Name: 'Woken', Check: check('woken:1') })
    t.equal(await agent.index('woken'), await agent.index('Woken'))
    const changes: Record<string, () => Promise<unknown>> = {
      'a status': () => agent.update('woken:1', 'critical'),
      'another instance, spelt otherwise': () => agent.register({ ID: 'woken-2', Name: 'wokeN' }),
      'a new spelling': () => agent.register({ ID: 'woken-2', Name: 'woken' }),
      'one of two leaves': () => agent.deregister('woken-2'),
      'the last one leaves': () => agent.deregister('Woken-1')
    }
    for (const [what, change] of Object.entries(changes)) {
      const { index, answer } = await agent.watch('woken')
      await change()
      const next = await answer
      t.ok(next.index > index, `${what}: ${index} to ${next.index}`)
      t.ok(next.took < 5000, what)
    }
  })

  t.test('what changes nothing moves no index and wakes nobody', async t => {
    const same = { ID: 'still-1', Name: 'still', Tags: ['x'], Check: check('still:1') }
    await agent.register(same)
    await agent.maintenance('still-1', 'enable=true')
    const { index, answer } = await agent.watch('still', `wait=${short}ms`)
    await agent.register(same)
    await agent.update('still:1', 'passing', '')
    await agent.maintenance('still-1', 'enable=true')
    await agent.register({ ID: 'noise', Name: 'noise' })
    await agent.deregister('noise')
    const next = await answer
    t.equal(next.index, index)
    t.ok(next.took >= short - 5, `${next.took}`)
    t.equal(next.entries.length, 1)
    t.equal(await agent.index('still'), index)
  })

  t.test('an output without a new status is known to the agent at once and to the catalog later', async t => {
    await agent.register({ Name: 'late', Check: check('late:1') })
    await agent.update('late:1', 'critical', 'first')
    const index = await agent.index('late')
    await agent.update('late:1', 'critical', 'second')
    t.match(await agent.check('late:1'), { Output: 'second' })
    const { entries, index: next } = await agent.health('late')
    t.match(entries[0]?.checks, { 'late:1': { Output: 'first' } })
    t.equal(next, index)
    await agent.update('late:1', 'passing', 'third')
    t.match((await agent.health('late')).entries[0]?.checks, { 'late:1': { Output: 'third' } })
    await agent.update('late:1', 'passing', 'fourth')
    await agent.register({ Name: 'late', Check: check('late:1') })
    const written = await agent.health('late')
    t.match(written.entries[0]?.checks, { 'late:1': { Output: 'fourth' } }, 'with a registration it is written at once')
  })

  t.test('an index that is behind is answered at once, one that is ahead waits', async t => {
    await agent.register({ Name: 'ahead' })
    const index = await agent.index('ahead')
    t.ok((await agent.health('ahead', `index=${index - 1}&wait=10s`)).took < 5000)
    t.ok((await agent.health('ahead', 'index=0&wait=10s')).took < 5000)
    t.ok((await agent.health('ahead', 'index=1&wait=10s')).took < 5000)
    const { took, index: same } = await agent.health('ahead', `index=${index + 1000}&wait=${short}ms`)
    t.ok(took >= short - 5)
    t.equal(same, index)
  })

  t.test('a wait is as long as it was said, and up to a sixteenth longer', async t => {
    await agent.register({ Name: 'waited' })
    const index = await agent.index('waited')
    const order: number[] = []
    const waits = await Promise.all(Array.from({ length: 32 }, async (_, place) => {
      const { took } = await agent.health('waited', `index=${index}&wait=3200ms`)
      order.push(place)
      return took
    }))
    t.ok(waits.every(took => took >= 3195), waits.join())
    t.ok(Math.min(...waits) < 3400 + 1000, waits.join())
    // On a busy machine it says nothing how far apart they end. The order does: up to half of the pairs turn around.
    const turned = order.flatMap((one, position) => order.slice(position).filter(other => other < one))
    t.ok(turned.length > 25, `they are spread: ${turned.length} of 496 pairs`)
  })

  t.test('a name that nobody has is woken by it, and by the end of any other', async t => {
    await agent.register({ ID: 'other-1', Name: 'other' })
    const born = await agent.watch('unborn')
    await agent.register({ Name: 'unborn' })
    t.match(await born.answer, { entries: [{ id: 'unborn' }] })
    await agent.deregister('unborn')

    const quiet = await agent.watch('unborn', `wait=${short}ms`)
    await agent.register({ ID: 'other-2', Name: 'other' })
    await agent.register({ ID: 'other-3', Name: 'another' })
    await agent.deregister('other-2')
    t.equal((await quiet.answer).index, quiet.index, 'not by one that comes, nor by one of two that goes')

    const ended = await agent.index('unborn')
    await agent.deregister('other-3')
    t.ok(await agent.index('unborn') > ended, 'the end of the last instance of another moves it')
    t.equal(await agent.index('unborn'), await agent.index('never-heard-of'), 'all unknown names have one index')
  })

  t.test('a filter that leaves nothing is woken all the same', async t => {
    await agent.register({ ID: 'sieve-1', Name: 'sieve', Tags: ['a'] })
    const { index, answer } = await agent.watch('sieve', 'wait=10s&tag=b&passing')
    await agent.register({ ID: 'sieve-2', Name: 'sieve', Tags: ['a'] })
    const next = await answer
    t.ok(next.index > index)
    t.same(next.entries, [])
  })

  t.test('the list of services wakes for services and not for checks', async t => {
    await agent.register({ ID: 'l-1', Name: 'l', Check: check('l:1') })
    const path = '/v1/catalog/services'
    const index = async (): Promise<number> => Number((await agent.api('GET', path)).headers['x-consul-index'])
    const before = await index()
    await agent.update('l:1', 'critical')
    await agent.maintenance('l-1', 'enable=true')
    t.equal(await index(), before)
    const answer = agent.api<object>('GET', `${path}?index=${before}&wait=10s`)
    await waiting()
    await agent.register({ ID: 'l-2', Name: 'l', Tags: ['new'] })
    const { json, headers } = await answer
    t.match(json, { l: ['new'] })
    t.ok(Number(headers['x-consul-index']) > before)
    const last = await index()
    await agent.deregister('l-2')
    t.ok(await index() > last)
  })

  t.test('the hash of a service wakes for its definition and its end, and for nothing else', async t => {
    await agent.register({ ID: 'h-1', Name: 'h', Check: check('h:1') })
    const { hash } = await agent.service('h-1')
    const quiet = agent.service('h-1', `hash=${hash}&wait=${short}ms`)
    await waiting()
    await agent.register({ ID: 'h-1', Name: 'h' })
    await agent.update('h:1', 'critical', 'ill')
    await agent.maintenance('h-1', 'enable=true')
    await agent.register({ ID: 'h-2', Name: 'h' })
    const still = await quiet
    t.equal(still.hash, hash)
    t.ok(still.took >= short - 5)

    t.ok((await agent.service('h-1', 'hash=another&wait=10s')).took < 5000, 'another hash is answered at once')
    const changed = agent.service('h-1', `hash=${hash}&wait=10s`)
    await waiting()
    await agent.register({ ID: 'h-1', Name: 'h', Port: 1 })
    const next = await changed
    t.not(next.hash, hash)
    t.equal(next.json.Port, 1)

    const ended = agent.service('h-1', `hash=${next.hash}&wait=10s`)
    await waiting()
    await agent.deregister('h-1')
    t.match(await ended, { status: 404, text: /unknown service ID: h-1/ })
    t.ok((await agent.service('h-1', `hash=${next.hash}&wait=10s`)).took < 5000)
    await agent.register({ ID: 'h-1', Name: 'h', Port: 1 })
    t.equal((await agent.service('h-1')).hash, next.hash, 'the same definition has the same hash')
  })

  t.test('a hundred watchers hear of one change, and one that has gone is no matter', async t => {
    await agent.register({ ID: 'crowd-1', Name: 'crowd', Check: check('crowd:1') })
    const index = await agent.index('crowd')
    const gone = new AbortController()
    const left = fetch(`${agent.url}/v1/health/service/crowd?index=${index}&wait=10s`, { signal: gone.signal })
    const answers = Array.from({ length: 100 }, () => agent.health('crowd', `index=${index}&wait=10s`))
    await waiting()
    gone.abort()
    await t.rejects(left)
    await waiting()
    await agent.update('crowd:1', 'critical')
    const heard = await Promise.all(answers)
    t.ok(heard.every(({ took }) => took < 8000))
    t.ok(heard.every(({ index: next }) => next > index))
    t.ok(heard.every(({ entries }) => entries[0]?.checks['crowd:1']?.['Status'] === 'critical'))
    t.equal(new Set(heard.map(({ index }) => index)).size, 1)
  })
}
