import t from 'tap'
import { Balancer } from '../../lib/balancing/balancer.ts'
import { Routes } from '../../lib/calls/routes.ts'
import { instance, seeded } from '../balancing/helpers.ts'

function routes (allow?: readonly string[]): Routes {
  return new Routes(new Balancer({ warningShare: 0.1, random: seeded(1), onGone () {} }), allow)
}

t.test('an origin is looked at once', async t => {
  const known = routes()
  t.equal(known.find('http://svc'), known.find('http://svc'))
  t.equal(known.find('http://svc')?.service, 'svc')
  t.equal(known.find('http://example.com'), undefined)
  t.equal(known.find('http://example.com'), undefined)
  t.throws(() => known.find('svc'), { code: 'ERR_INVALID_URL' })
})

t.test('a URL without an origin is nobody\'s', async t => {
  t.equal(routes().findFor(new URL('data:text/plain,svc')), undefined)
  t.equal(routes().findFor(new URL('http://svc/path'))?.service, 'svc')
})

t.test('origins beyond the limit are forgotten, the oldest first', async t => {
  const known = routes()
  const [oldest, second] = [known.find('http://oldest'), known.find('http://second')]
  for (let junk = 0; junk < 999; junk++) known.find(`http://junk${junk}`)
  t.equal(known.find('http://second'), second)
  t.not(known.find('http://oldest'), oldest)
})

t.test('an instance is called with TLS if the URL or the instance wants it', async t => {
  const cases = [
    ['http://svc', 'http', 'http://svc'],
    ['http://svc', 'https', 'https://svc'],
    ['https://svc', 'http', 'https://svc'],
    ['https://v2.svc.service.consul', 'https', 'https://v2.svc.service.consul']
  ] as const
  for (const [origin, scheme, expected] of cases) {
    t.equal(routes().find(origin)?.originFor(instance({ scheme })), expected)
  }
})

t.test('without a list every service is allowed, with an empty one none', async t => {
  t.equal(routes().find('http://svc')?.allowed, true)
  t.equal(routes(['SVC']).find('http://svc')?.allowed, true)
  t.equal(routes(['other']).find('http://svc')?.allowed, false)
  t.equal(routes([]).find('http://svc')?.allowed, false)
})
