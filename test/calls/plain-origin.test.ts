import fc from 'fast-check'
import t from 'tap'
import { plainOriginOf } from '../../lib/calls/plain-origin.ts'

const parsed = (text: string): string | undefined => URL.canParse(text) ? new URL(text).origin : undefined

t.test('what is read off the text of a URL is what parsing it finds', async t => {
  const piece = fc.oneof(
    fc.constantFrom('.', '-', '--', 'xn--', ':', '@', '/', '\\', '?', '#', '%', ' ', '\t', '\n', '[', ']', '0x', '1'),
    fc.stringMatching(/^[a-z\d.-]{1,6}$/),
    fc.string({ unit: 'binary', maxLength: 2 })
  )
  const text = fc.tuple(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom('http://', 'https://') },
      { weight: 1, arbitrary: fc.constantFrom('HTTP://', 'http:', 'http:///', 'ftp://', ' http://', '') }
    ),
    fc.oneof(fc.stringMatching(/^[a-z][a-z\d.-]{0,8}$/), piece),
    fc.array(piece, { maxLength: 3 })
  ).map(([scheme, host, pieces]) => scheme + host + pieces.join(''))
  let plain = 0
  fc.assert(fc.property(text, text => {
    const origin = plainOriginOf(text)
    if (origin === undefined) return true
    plain++
    return origin === parsed(text)
  }), { numRuns: 20_000, seed: 1 })
  t.equal(plain > 1000, true, `${plain} were plain`)
})

t.test('which URLs need no parsing', async t => {
  for (const [text, origin] of [
    ['http://svc/path?query#fragment', 'http://svc'],
    ['https://v1.svc.service.dc-1.consul', 'https://v1.svc.service.dc-1.consul'],
    ['http://svc?a', 'http://svc'],
    ['http://svc#/', 'http://svc']
  ] as const) t.equal(plainOriginOf(text), origin)
  for (const text of [
    'http://svc:80/', 'http://user@svc/', 'HTTP://svc/', 'http://Svc/', 'http://svc\\', 'http://127.0.0.1/',
    'http://a.1/', 'http://xn--a/', 'http:///svc/', 'http://svc /', 'ws://svc/', 'data:,x', 'svc', ''
  ]) t.equal(plainOriginOf(text), undefined, text)
})
