import { Readable } from 'node:stream'
import t from 'tap'
import { FormData, Response } from 'undici'
import { withWatchedParts } from '../../lib/calls/watch-body.ts'
import { isReplayable, ReplayableBody } from '../../lib/calls/replay.ts'
import { until } from '../support/wait.ts'

const limit = 64 * 1024

async function * parts (...texts: string[]) {
  for (const text of texts) yield Buffer.from(text)
}

async function read (body: AsyncIterable<unknown>, most = Infinity) {
  const texts: string[] = []
  for await (const part of body) {
    texts.push(String(part))
    if (texts.length === most) break
  }
  return texts.join('')
}

function form (...values: (string | Blob)[]): FormData {
  const made = new FormData()
  for (const value of values) made.append('name', value)
  return made
}

t.test('which bodies can be sent once more', async t => {
  const cases: [what: string, body: unknown, replayable: boolean][] = [
    ['none', null, true],
    ['undefined', undefined, true],
    ['a string', 'x'.repeat(limit), true],
    ['a long string', 'x'.repeat(limit + 1), false],
    ['a string of long characters', 'ä'.repeat(limit / 2 + 1), false],
    ['a Buffer', Buffer.alloc(limit), true],
    ['a long Buffer', Buffer.alloc(limit + 1), false],
    ['an ArrayBuffer', new ArrayBuffer(limit), true],
    ['a Blob', new Blob(['x']), true],
    ['a long Blob', new Blob(['x'.repeat(limit + 1)]), false],
    ['a stream', Readable.from(['x']), false],
    ['a form', form('x'), true],
    ['a long form', form('x'.repeat(limit - 300), 'y'.repeat(301)), false],
    ['a form with a file', form(new Blob(['x'])), true],
    ['a form with a long file', form(new Blob(['x'.repeat(limit)])), false],
    ['parts', new ReplayableBody(parts('x')), true],
    ['a generator that nobody keeps', parts('x'), false]
  ]
  for (const [what, body, replayable] of cases) t.equal(isReplayable(body), replayable, what)
})

const owner = { abort () {} }

t.test('the size of a form is that of what is sent', async t => {
  for (const values of [[], ['x'], ['x', new Blob(['y'], { type: 'text/css' })]]) {
    const fits = (size: number) => isReplayable(form(...values, 'z'.repeat(size)))
    const { size } = await new Response(form(...values, '')).blob()
    t.same([fits(limit - size), fits(limit - size + 1)], [true, false])
  }
})

t.test('only bodies in parts are kept, and only of requests that may be repeated', async t => {
  const kept = (body: unknown, method = 'PUT') =>
    withWatchedParts({ path: '/', method, body: body as string }, owner, true).body as unknown instanceof ReplayableBody
  t.equal(kept(parts('x')), true)
  t.equal(kept(['x', 'y']), true)
  t.equal(kept(parts('x'), 'POST'), false)
  const stream = ReadableStream.from(['x'])
  for (const body of ['x', null, Buffer.from('x'), Readable.from(['x']), stream, new FormData(), new Blob(['x'])]) {
    t.equal(kept(body), false)
  }
})

t.test('every reader gets all of the body, wherever the one before stopped', async t => {
  for (const most of [1, 2, 3, Infinity]) {
    const body = new ReplayableBody(parts('one ', 'two ', 'three'))
    const some = await read(body, most)
    t.equal(await read(body, most), some)
    t.equal(await read(body), 'one two three')
    t.equal(body.isWhole, true)
  }
})

t.test('a reader that takes over while a part is on its way gets that part, and the other one an error', async t => {
  let give = () => {}
  const given = new Promise<void>(resolve => { give = resolve })
  async function * slow () {
    yield 'one '
    await given
    yield 'two'
  }
  const body = new ReplayableBody(slow())
  const first = body[Symbol.asyncIterator]()
  t.equal((await first.next()).value, 'one ')
  const waiting = t.rejects(first.next(), { message: 'the body is being sent to another instance' })
  const second = read(body)
  give()
  t.equal(await second, 'one two')
  await waiting
})

t.test('a body over the limit cannot be sent again, but its reader gets all of it', async t => {
  const body = new ReplayableBody(parts('x'.repeat(limit), 'y', 'z'.repeat(limit)))
  const reader = body[Symbol.asyncIterator]()
  await reader.next()
  t.equal(body.isWhole, true)
  await reader.next()
  t.equal(body.isWhole, false)
  t.equal((await reader.next()).value?.toString(), 'z'.repeat(limit))
  t.equal((await reader.next()).done, true)
})

t.test('a body that failed cannot be sent again', async t => {
  async function * broken () {
    yield 'one'
    throw Object.assign(new Error('disk on fire'), { code: 'ECONNRESET' })
  }
  const body = new ReplayableBody(broken())
  await t.rejects(read(body), { message: 'disk on fire' })
  t.equal(body.isWhole, false)
})

t.test('a body that is not read to its end is given up with its call', async t => {
  let ended = 0
  async function * endless () {
    try {
      for (;;) yield 'x'
    } finally {
      ended++
    }
  }
  const body = new ReplayableBody(endless())
  body.close()
  await read(body, 1)
  t.equal(ended, 0)
  body.close()
  body.close()
  await until(() => ended === 1)
})
