import t from 'tap'
import { Comparison } from '../../lib/discovery/comparison.ts'
import type { Lookup } from '../../lib/discovery/difference.ts'
import { StaticSource } from '../../lib/discovery/static.ts'
import type { ServiceInstance } from '../../lib/consul/instance.ts'
import { ClosedError, UnavailableError } from '../../lib/errors.ts'
import { instance } from '../balancing/helpers.ts'
import { collectingLogger } from '../health/collecting-logger.ts'
import { ManualClock } from '../support/manual-clock.ts'

const names: Readonly<Record<string, readonly string[]>> = { 'db.internal': ['10.0.0.1', '::1'] }
const lookUp: Lookup = async host => {
  if (host === 'unknown') throw lookupError('ENOTFOUND')
  return names[host] ?? [host]
}

function lookupError (code: string): Error {
  return Object.assign(new Error(`getaddrinfo ${code}`), { code })
}

/** A comparison with a list that the test sets; `undefined`: Consul does not answer. */
function compare (fallback: readonly string[], lookup = lookUp) {
  const clock = new ManualClock()
  const { logger, lines } = collectingLogger()
  let listed: readonly string[] | undefined
  let asked = 0
  let remembers = true
  let closed = false
  let view: { error: unknown, lostAt: number | undefined } | undefined
  /** As the catalog has them: one for each case of a name. */
  const lists = new Map<string, readonly ServiceInstance[]>()
  const listOf = (name: string): readonly ServiceInstance[] | undefined => {
    const list = lists.get(name) ?? listed?.map(url => at(new URL(url)))
    if (list !== undefined) lists.set(name, list)
    return list
  }
  const catalog = {
    peek: (name: string) => remembers ? listOf(name) : undefined,
    view: () => view,
    async learn (name: string) {
      asked++
      if (closed) throw new ClosedError('discover()')
      const list = listOf(name)
      if (list === undefined) throw new UnavailableError(name, 'later')
      return list
    }
  }
  const comparison = new Comparison({ catalog, fallback: new StaticSource({ Svc: fallback }), lookup, logger, clock })
  return {
    clock,
    lines,
    of: (name = 'svc') => comparison.of(name).compared,
    get notCompared () { return comparison.of('svc').notCompared },
    get agrees () { return comparison.agreements().get('Svc') },
    /** Consul's answer counts but for a moment, as that there is no such service. */
    forget () { remembers = false },
    /** The list in memory is given out, but Consul cannot be asked. */
    lose () { view = { error: new Error('ACL not found'), lostAt: clock.now() } },
    regain () { view = { error: undefined, lostAt: undefined } },
    close () { closed = true },
    /** From now on Consul does not answer, or does not know anything. */
    silence () {
      listed = undefined
      lists.clear()
    },
    get asked () { return asked },
    async look (addresses?: readonly string[], name = 'svc') {
      if (addresses !== undefined) {
        listed = addresses
        lists.clear()
      }
      comparison.look(name)
      await new Promise(resolve => setImmediate(resolve))
    }
  }
}

function at ({ protocol, hostname, port }: URL): ServiceInstance {
  return instance({ scheme: protocol === 'https:' ? 'https' : 'http', address: hostname, port: Number(port) })
}

t.test('what is in one of both is a difference, with scheme, address and port', async t => {
  const { look, of, lines } = compare(['http://10.0.0.1:8080', 'http://10.0.0.2:8081', 'https://10.0.0.3:8082'])
  await look(['http://10.0.0.1:8080', 'http://10.0.0.2:8080', 'http://10.0.0.3:8082'])
  t.same(of(), {
    onlyInFallback: ['http://10.0.0.2:8081', 'https://10.0.0.3:8082'],
    onlyInConsul: ['http://10.0.0.2:8080', 'http://10.0.0.3:8082'],
    mismatches: 1
  })
  const message = 'Consul lists other instances than fallback'
  t.match(lines, [{ level: 'warn', details: { service: 'Svc' }, message }])
})

t.test('each change is one line, and each difference is counted once', async t => {
  const { look, of, lines, clock } = compare(['http://10.0.0.1:8080'])
  await look(['http://10.0.0.1:8080'])
  t.match(of(), { onlyInFallback: [], onlyInConsul: [], mismatches: 0 })
  for (let time = 0; time < 5; time++) {
    clock.advance(10_000)
    await look(['http://10.0.0.9:8080'])
  }
  await look([])
  await look(['http://10.0.0.1:8080'])
  t.match(of(), { onlyInFallback: [], onlyInConsul: [], mismatches: 2 })
  t.same(lines.map(({ level }) => level), ['info', 'warn', 'warn', 'info'])
})

t.test('a name stands for its addresses, and for itself if it has none', async t => {
  const known = compare(['http://db.internal:5432'])
  await known.look(['http://10.0.0.1:5432'])
  t.match(known.of(), { onlyInFallback: [], onlyInConsul: [] })
  const unknown = compare(['http://unknown:1'])
  await unknown.look(['http://unknown:1'])
  t.match(unknown.of(), { onlyInFallback: [], onlyInConsul: [] })
})

t.test('a list that is the same is compared again after 10 s, and not before', async t => {
  const comparison = compare(['http://10.0.0.1:8080'])
  await comparison.look(['http://10.0.0.1:8080'])
  for (let call = 0; call < 5; call++) await comparison.look()
  t.equal(comparison.asked, 1)
  comparison.clock.advance(10_000)
  await comparison.look()
  t.equal(comparison.asked, 2)
})

t.test('a service that Consul does not know is asked for every 10 s too', async t => {
  const comparison = compare(['http://10.0.0.1:8080'])
  comparison.forget()
  await comparison.look([])
  comparison.clock.advance(9999)
  await comparison.look()
  t.equal(comparison.asked, 1)
  comparison.clock.advance(1)
  await comparison.look()
  t.equal(comparison.asked, 2)
})

t.test('a list that changes while it is compared is compared too', async t => {
  let answer: (addresses: readonly string[]) => void = () => {}
  const slow = new Promise<readonly string[]>(resolve => { answer = resolve })
  const comparison = compare(['http://slow:1'], async host => host === 'slow' ? slow : [host])
  await comparison.look(['http://10.0.0.1:1'])
  await comparison.look(['http://10.0.0.2:1'])
  answer(['10.0.0.1'])
  await comparison.look()
  t.match(comparison.of(), { mismatches: 0 })
  await comparison.look()
  t.equal(comparison.asked, 2)
  t.match(comparison.of(), { onlyInConsul: ['http://10.0.0.2:1'], mismatches: 1 })
})

t.test('a long list is logged in part, and known in full', async t => {
  const { look, of, lines } = compare(['http://10.0.0.1:1'])
  await look(Array.from({ length: 1000 }, (_, index) => `http://10.0.1.1:${index + 1000}`))
  t.equal(of()?.onlyInConsul.length, 1000)
  const [line] = lines
  const { onlyInFallback, onlyInConsul } = line?.details as { onlyInFallback: string[], onlyInConsul: string[] }
  t.same(onlyInFallback, ['http://10.0.0.1:1'])
  t.same(onlyInConsul.slice(9), ['http://10.0.1.1:1009', 'and 990 more'])
})

t.test('that Consul does not answer is one line, and that it does again is another', async t => {
  const comparison = compare(['http://10.0.0.1:8080'])
  for (let time = 0; time < 3; time++) {
    await comparison.look()
    comparison.clock.advance(10_000)
  }
  t.equal(comparison.asked, 3)
  t.equal(comparison.of(), undefined)
  t.match(comparison.notCompared, { error: /svc/i, staleFor: 30_000 })
  t.match(comparison.lines, [
    { level: 'warn', details: { service: 'Svc', err: { code: 'FST_CONSUL_UNAVAILABLE' } } }
  ])
  await comparison.look(['http://10.0.0.1:8080'])
  t.equal(comparison.notCompared, undefined)
  t.same(comparison.lines.map(({ message }) => message), [
    'Consul cannot be compared with fallback',
    'Consul is compared with fallback again',
    'Consul lists the instances of fallback'
  ])
})

t.test('that all has ended is no news', async t => {
  const { look, close, lines } = compare(['http://10.0.0.1:8080'])
  close()
  await look()
  t.same(lines, [])
})

t.test('a name that cannot be looked up for the moment is no difference', async t => {
  let code: string | undefined
  const comparison = compare(['http://db.internal:5432'], async host => {
    if (code !== undefined && host === 'db.internal') throw lookupError(code)
    return await lookUp(host)
  })
  await comparison.look(['http://10.0.0.1:5432'])
  for (code of ['EAI_AGAIN', 'ESERVFAIL', 'ETIMEOUT']) {
    comparison.clock.advance(10_000)
    await comparison.look()
    t.match(comparison.of(), { onlyInFallback: [], onlyInConsul: [], mismatches: 0 }, code)
    t.match(comparison.notCompared, { error: `getaddrinfo ${code}` })
  }
  code = 'ENODATA'
  comparison.clock.advance(10_000)
  await comparison.look()
  t.match(comparison.of(), { onlyInFallback: ['http://db.internal:5432'], mismatches: 1 }, code)
})

t.test('what was found counts for a minute while Consul cannot be asked, also if nobody calls', async t => {
  const comparison = compare(['http://10.0.0.1:8080'])
  await comparison.look(['http://10.0.0.1:8080'])
  comparison.clock.advance(3_600_000)
  t.equal(comparison.agrees, true, 'as the last calls found it')
  comparison.lose()
  comparison.clock.advance(60_000)
  t.equal(comparison.agrees, true)
  comparison.clock.advance(1)
  t.equal(comparison.agrees, undefined)
  t.equal(comparison.of(), undefined)
  t.same(comparison.notCompared, { error: 'ACL not found', staleFor: 60_001 })
  await comparison.look()
  t.equal(comparison.agrees, undefined, 'what is in memory says nothing of now')
  comparison.regain()
  t.equal(comparison.agrees, true)
  t.match(comparison.of(), { mismatches: 0 })
})

t.test('the same where it was forgotten what Consul listed', async t => {
  const comparison = compare(['http://10.0.0.1:8080'])
  await comparison.look(['http://10.0.0.1:8080'])
  comparison.silence()
  comparison.clock.advance(10_000)
  await comparison.look()
  t.equal(comparison.agrees, true)
  comparison.clock.advance(60_001)
  t.equal(comparison.agrees, undefined)
  await comparison.look(['http://10.0.0.1:8080'])
  t.equal(comparison.agrees, true)
})

t.test('a service without a fallback is not compared, and case does not matter', async t => {
  const comparison = compare(['http://10.0.0.1:8080'])
  await comparison.look(['http://10.0.0.1:8080'], 'other')
  t.equal(comparison.asked, 0)
  for (const name of ['SVC', 'svc', 'Svc', 'svc']) await comparison.look(undefined, name)
  t.match(comparison.of('sVc'), { mismatches: 0 })
  t.equal(comparison.asked, 1)
})
