import { writeFile } from 'node:fs/promises'
import t from 'tap'
import { TokenChanges } from '../../lib/consul/token-changes.ts'
import { Token } from '../../lib/consul/token.ts'
import type { TokenSource } from '../../lib/options/resolved.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { until } from '../support/wait.ts'
import { clientOf, failureOf, fakeServer } from './helpers.ts'

// lib/consul/token.ts

const currentToken = (source: TokenSource | undefined) => new Token(source).read()

t.test('no source and no token of a function are the agent\'s own token', async t => {
  t.equal(await currentToken(undefined), undefined)
  t.equal(await currentToken({ kind: 'function', get: () => '' }), undefined)
})

t.test('a token comes from where it is said to be', async t => {
  t.equal(await currentToken({ kind: 'value', value: 'one' }), 'one')
  t.equal(await currentToken({ kind: 'function', get: async () => 'two' }), 'two')
  t.equal(await currentToken({ kind: 'file', path: `${t.testdir({ token: ' three\n' })}/token` }), 'three')
})

t.test('a file that is gone is an error that names it', async t => {
  t.match(await failureOf(currentToken({ kind: 'file', path: '/nowhere/token' })), {
    code: 'FST_CONSUL_TOKEN', message: /^No ACL token could be had from the file \/nowhere\/token: ENOENT/
  })
})

t.test('a file that is being written holds no token yet, which is an error and not the agent\'s own token', async t => {
  const path = `${t.testdir({ empty: '\n' })}/empty`
  t.match(await failureOf(currentToken({ kind: 'file', path })), {
    code: 'FST_CONSUL_TOKEN', message: /^No ACL token could be had from the file .*empty: it must be a string/
  })
})

t.test('a function that fails is an error with its cause', async t => {
  const cause = new Error('the vault is sealed')
  const error = await failureOf(currentToken({ kind: 'function', get: () => { throw cause } }))
  t.match(error, { code: 'FST_CONSUL_TOKEN', message: /from the token option: the vault is sealed$/ })
  t.equal(error.cause, cause)
  // eslint-disable-next-line prefer-promise-reject-errors
  const odd = currentToken({ kind: 'function', get: () => Promise.reject('sealed') })
  t.match(await failureOf(odd), { message: /: sealed$/ })
})

t.test('what no header can hold is refused without being shown', async t => {
  for (const value of ['two words', 'line\nend', 'é', undefined, 7, null]) {
    const error = await failureOf(currentToken({ kind: 'function', get: () => value as string }))
    t.equal(error.code, 'FST_CONSUL_TOKEN')
    t.match(error.message, /it must be a string of printable characters without spaces$/)
  }
})

t.test('a token that becomes another one is told, once; the first is no change', async t => {
  const tokens = ['a', 'a', 'b', 'b', '', 'a']
  const token = new Token({ kind: 'function', get: () => tokens.shift()! })
  const told: (string | undefined)[] = []
  let newest: string | undefined
  token.onChange(() => told.push(newest))
  const stop = token.onChange(() => told.push('once more'))
  for (const expected of ['a', 'a', 'b', 'b', undefined, 'a']) {
    newest = expected
    t.equal(await token.read(), expected)
    if (expected === 'b') stop()
  }
  t.same(told, ['b', 'once more', undefined, 'a'])
})

t.test('a read that began earlier and took longer changes nothing back', async t => {
  const answers: ((token: string) => void)[] = []
  const token = new Token({ kind: 'function', get: () => new Promise(resolve => answers.push(resolve)) })
  let told = 0
  token.onChange(() => { told++ })
  const [first, second, third] = [token.read(), token.read(), token.read()]
  answers[1]!('new')
  t.equal(await second, 'new')
  answers[0]!('old')
  t.equal(await first, 'old')
  answers[2]!('new')
  t.equal(await third, 'new')
  t.equal(told, 0)
})

t.test('a token that cannot be had is no change', async t => {
  const path = `${t.testdir({ token: 'a' })}/token`
  const token = new Token({ kind: 'file', path })
  let told = 0
  token.onChange(() => { told++ })
  await token.read()
  await writeFile(path, '')
  await t.rejects(token.read())
  await writeFile(path, 'a')
  await token.read()
  t.equal(told, 0)
})

t.test('without a token nothing is asked, and that is no fault of Consul\'s', async t => {
  let asked = 0
  const url = await fakeServer(t, (_, response) => {
    asked++
    response.end('"leader"')
  })
  const failing = clientOf(t, { url, token: () => { throw new Error('sealed') } })
  await t.rejects(failing.leader(), { code: 'FST_CONSUL_TOKEN' })
  const slow = clientOf(t, { url, token: () => new Promise(() => {}), timeout: 50 })
  await t.rejects(slow.leader(), { code: 'FST_CONSUL_TOKEN', message: /it took longer than 50 ms$/ })
  t.equal(asked, 0)
})

t.test('a second look at a refused token ends with the request: in time, or when it is aborted', async t => {
  const url = await fakeServer(t, (_, response) => response.writeHead(403).end('ACL not found'))
  const slowLater = () => {
    let isFirst = true
    return () => {
      if (!isFirst) return new Promise<string>(() => {})
      isFirst = false
      return 'one'
    }
  }
  const late = clientOf(t, { url, token: slowLater(), timeout: 2000 })
  await t.rejects(late.leader(), { code: 'FST_CONSUL_API_FORBIDDEN', message: /ACL not found/ })
  const token = slowLater()
  const controller = new AbortController()
  const reason = new Error('enough')
  let looks = 0
  const aborted = clientOf(t, {
    url,
    token: () => {
      if (++looks === 2) setImmediate(() => controller.abort(reason))
      return token()
    }
  })
  t.equal(await failureOf(aborted.leader({ signal: controller.signal })), reason)
})

// lib/consul/token-changes.ts

t.test('a file is looked at every three seconds as long as anyone listens', async t => {
  const path = `${t.testdir({ token: 'one' })}/token`
  const clock = new ManualClock()
  const token = new Token({ kind: 'file', path })
  await token.read()
  const changes = new TokenChanges(token, clock)
  t.same(clock.pending, [])
  let told = 0
  const stop = changes.subscribe(() => { told++ })
  t.same(clock.pending, [3000])
  clock.advance(3000)
  await writeFile(path, 'two')
  clock.advance(3000)
  await until(() => told === 1)
  stop()
  t.same(clock.pending, [])
  stop()
  t.same(clock.pending, [])
})

t.test('a file that cannot be read is looked at again', async t => {
  const path = `${t.testdir({ token: 'one' })}/token`
  const clock = new ManualClock()
  const token = new Token({ kind: 'file', path })
  await token.read()
  let told = 0
  new TokenChanges(token, clock).subscribe(() => { told++ })
  await writeFile(path, '')
  clock.advance(3000)
  await t.rejects(token.read(), { code: 'FST_CONSUL_TOKEN' })
  await writeFile(path, 'two')
  clock.advance(3000)
  await until(() => told === 1)
})

function ofFunction () {
  const clock = new ManualClock()
  let count = 0
  const token = new Token({ kind: 'function', get: () => `token-${count}` })
  const changes = new TokenChanges(token, clock)
  return {
    clock,
    changes,
    async renew () {
      count++
      await token.read()
    },
    token
  }
}

t.test('a function is not called but by requests, whose new token is told at once, to all', async t => {
  const { clock, changes, renew, token } = ofFunction()
  const told: string[] = []
  changes.subscribe(() => told.push('a'))
  changes.subscribe(() => told.push('b'))
  t.same(clock.pending, [])
  await token.read()
  t.same(told, [])
  await renew()
  t.same(told, ['a', 'b'])
})

t.test('a function whose token is always another one is told every ten seconds', async t => {
  const { clock, changes, renew, token } = ofFunction()
  let told = 0
  changes.subscribe(() => { told++ })
  await token.read()
  for (let i = 0; i < 5; i++) await renew()
  t.equal(told, 1)
  clock.advance(10_000)
  t.equal(told, 2, 'the last one is not lost')
  clock.advance(10_000)
  t.equal(told, 2)
  await renew()
  t.equal(told, 3)
})

t.test('after the end nothing is told', async t => {
  const { clock, changes, renew, token } = ofFunction()
  let told = 0
  changes.subscribe(() => { told++ })
  await token.read()
  await renew()
  await renew()
  changes.close()
  t.same(clock.pending, [])
  await renew()
  t.equal(told, 1)
})
