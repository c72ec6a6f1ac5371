import t from 'tap'
import { targetOf } from '../../lib/calls/target.ts'

const services: readonly [url: string, service: string, tag?: string | undefined, datacenter?: string][] = [
  ['http://l02-runtime/', 'l02-runtime'],
  ['https://l02-runtime/path?query#hash', 'l02-runtime'],
  ['http://l02-runtime:80/', 'l02-runtime'],
  ['https://l02-runtime:443/', 'l02-runtime'],
  ['http://L02-Runtime/', 'l02-runtime'],
  ['http://l02_runtime/', 'l02_runtime'],
  ['http://user:secret@l02-runtime/', 'l02-runtime'],
  ['http://bücher/', 'bücher'],
  ['http://consul/', 'consul'],
  ['http://l02-runtime.service.consul/', 'l02-runtime'],
  ['http://l02-runtime.service.consul:80/', 'l02-runtime'],
  ['http://l02-runtime.service.consul./', 'l02-runtime'],
  ['http://L02-Runtime.Service.Consul/', 'l02-runtime'],
  ['http://v2.l02-runtime.service.consul/', 'l02-runtime', 'v2'],
  ['http://v2.1.l02-runtime.service.consul/', 'l02-runtime', 'v2.1'],
  ['http://l02-runtime.service.dc2.consul/', 'l02-runtime', undefined, 'dc2'],
  ['https://v2.l02-runtime.service.dc2.consul./', 'l02-runtime', 'v2', 'dc2'],
  ['http://bücher.service.consul/', 'bücher'],
  ['http://service.service.consul/', 'service'],
  ['http://localhost.service.consul/', 'localhost']
]

const hosts = [
  'http://localhost/',
  'http://LOCALHOST/',
  'http://localhost./',
  'http://app.localhost/',
  'http://127.0.0.1/',
  'http://2130706433/',
  'http://0x7f.1/',
  'http://[::1]/',
  'http://[::ffff:127.0.0.1]/',
  'http://l02-runtime:8080/',
  'http://l02-runtime:443/',
  'https://l02-runtime:80/',
  'http://l02-runtime.service.consul:8500/',
  'http://l02-runtime./',
  'http://example.com/',
  'http://l02-runtime.default.svc.cluster.local/',
  'http://service.consul/',
  'http://service.dc2.consul/',
  'http://node1.node.consul/',
  'http://l02-runtime.query.consul/',
  'http://l02-runtime.service.dc2.dc.consul/',
  'http://l02-runtime.service.consul.example.com/',
  'http://.service.consul/',
  'http://a..l02-runtime.service.consul/',
  'http://./',
  'data:text/plain,l02-runtime',
  'ftp://l02-runtime/',
  'unix://l02-runtime/'
]

t.test('a host without a dot, or in Consul\'s DNS form, is a service', async t => {
  for (const [url, service, tag, datacenter] of services) {
    t.same(targetOf(new URL(url)), { service, tag, datacenter }, url)
  }
})

t.test('every other URL is an ordinary host\'s', async t => {
  for (const url of hosts) t.equal(targetOf(new URL(url)), undefined, url)
})
