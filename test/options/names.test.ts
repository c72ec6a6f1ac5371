import t from 'tap'
import { InvalidOptionError } from '../../lib/errors.ts'
import { resolveOptions } from '../../lib/options/resolve.ts'

const messageOf = (options: object) => {
  try {
    resolveOptions(options, { environment: {} })
  } catch (error) {
    if (!(error instanceof InvalidOptionError)) throw error
    return error.message
  }
  return 'accepted'
}

t.test('an unknown option is refused at any depth, with the name that was meant', async t => {
  const rows: [options: object, name: string, meant: string][] = [
    [{ tokne: 'x' }, 'tokne', 'token'],
    [{ URL: 'x' }, 'URL', 'url'],
    [{ tokenfile: 'x' }, 'tokenfile', 'tokenFile'],
    [{ drian: {} }, 'drian', 'drain'],
    [{ drain: { dealy: 1 } }, 'drain.dealy', 'delay'],
    [{ calls: { tls: { rejectUnauthorised: false } } }, 'calls.tls.rejectUnauthorised', 'rejectUnauthorized'],
    [{ service: { weights: { pasing: 1 } } }, 'service.weights.pasing', 'passing'],
    [{ service: { taggedAddresses: { lan: { adress: 'a' } } } }, 'service.taggedAddresses.lan.adress', 'address'],
    [{ underPressure: { maxHeapUsedByte: 1 } }, 'underPressure.maxHeapUsedByte', 'maxHeapUsedBytes'],
    [{ interval: '5s' }, 'interval', 'check.interval'],
    [{ strategy: 'random' }, 'strategy', 'balancer.strategy']
  ]
  for (const [options, name, meant] of rows) {
    t.equal(messageOf(options), `${name} must be a known option (did you mean ${meant}?), got another name`)
  }
})

t.test('a name that is far from all is refused with those known in its place', async t => {
  t.equal(messageOf({ drain: { sleep: 1 } }),
    'drain.sleep must be one of the known options (delay, timeout), got another name')
  t.match(messageOf({ constructor: 1 }), /^constructor must be one of the known options \(url, token, /)
  t.match(messageOf(JSON.parse('{"__proto__":1}')), /^__proto__ must be one of the known options/)
  t.match(messageOf({ drain: JSON.parse('{"__proto__":1}') }), /^drain.__proto__ must be one of the known options/)
})

t.test('the unknown name is told before what is wrong besides', async t => {
  t.match(messageOf({ timeout: 'x', drain: { dealy: 'x', delay: 'x' } }), /^drain\.dealy must be /)
})
