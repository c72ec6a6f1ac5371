import t from 'tap'
import { Comparison, type Lookup } from '../../lib/discovery/comparison.ts'
import { StaticSource } from '../../lib/discovery/static.ts'
import type { ServiceInstance } from '../../lib/consul/instance.ts'
import { UnavailableError } from '../../lib/errors.ts'
import { instance } from '../balancing/helpers.ts'
import { collectingLogger } from '../health/collecting-logger.ts'
import { ManualClock } from '../support/manual-clock.ts'

const names: Readonly<Record<string, readonly string[]>> = { 'db.internal': ['10.0.0.1', '::1'] }
const lookUp: Lookup = async host => {
  if (host === 'unknown') throw new Error('ENOTFOUND')
  return names[host] ?? [host]
}

/** A comparison with a list that the test sets; `undefined`: Consul does not answer. */
function compare (fallback: readonly string[], lookup = lookUp) {
  const clock = new ManualClock()
  const { logger, lines } = collectingLogger()
  let listed: readonly string[] | undefined
  let asked = 0
  /** As the catalog has them: one for each case of a name. */
  const lists = new Map<string, readonly ServiceInstance[]>()
  const listOf = (name: string): readonly ServiceInstance[] | undefined => {
    const list = lists.get(name) ?? listed?.map(url => at(new URL(url)))
    if (list !== undefined) lists.set(name, list)
    return list
  }
  const catalog = {
    peek: listOf,
    async discoverNow (name: string) {
      asked++
      const list = listOf(name)
      if (list === undefined) throw new UnavailableError(name, 'later')
      return list
    }
  }
  const comparison = new Comparison({ catalog, fallback: new StaticSource({ Svc: fallback }), lookup, logger, clock })
  return {
    clock,
    lines,
    of: (name = 'svc') => comparison.of(name),
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

t.test('where Consul does not answer nothing is said', async t => {
  const { look, of, lines } = compare(['http://10.0.0.1:8080'])
  await look()
  t.equal(of(), undefined)
  t.same(lines, [])
})

t.test('a service without a fallback is not compared, and case does not matter', async t => {
  const comparison = compare(['http://10.0.0.1:8080'])
  await comparison.look(['http://10.0.0.1:8080'], 'other')
  t.equal(comparison.asked, 0)
  for (const name of ['SVC', 'svc', 'Svc', 'svc']) await comparison.look(undefined, name)
  t.match(comparison.of('sVc'), { mismatches: 0 })
  t.equal(comparison.asked, 1)
})
