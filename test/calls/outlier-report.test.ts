import t from 'tap'
import { Endpoint } from '../../lib/balancing/endpoint.ts'
import { OutlierReport } from '../../lib/calls/outlier-report.ts'
import { channels } from '../../lib/observe/channels.ts'
import { instance } from '../balancing/helpers.ts'
import { collectingLogger } from '../health/collecting-logger.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { MemorySource, outlier, startCalls, startServer } from './helpers.ts'

const leftOut = 'An instance fails more than the others and is left out of calls for a while'
const back = 'An instance that was left out of calls is back'
const hasLeft = 'An instance that was left out of calls has left'
const flapping = 'An instance fails and comes back all the time'

function startReport () {
  const { logger, lines } = collectingLogger()
  const clock = new ManualClock()
  const report = new OutlierReport({ events: channels, logger, clock })
  return { report, clock, lines, messages: () => lines.map(({ message }) => message) }
}

t.test('an instance that is left out is one line in the log, and its return another', async t => {
  let status = 503
  const ill = await startServer(t, 'ill', (_, response) => response.writeHead(status).end())
  const good = await startServer(t, 'well')
  const { logger, lines } = collectingLogger()
  const source = new MemorySource({ svc: [ill.instance, good.instance] })
  const { request } = startCalls(t, source, { outlier: { ...outlier, ejectionTime: 20 }, logger })
  const call = async () => { await (await request('http://svc/')).body.text() }
  while (lines.length === 0) await call()
  status = 200
  while (lines.length === 1) await call()
  const { name: service, id, address, port } = ill.instance
  const reason = 'consecutive failures'
  t.same(lines, [
    { level: 'warn', details: { service, id, address, port, reason, failure: 503 }, message: leftOut },
    { level: 'info', details: { service, id }, message: back }
  ])
})

t.test('an instance that leaves while it is left out is one line too', async t => {
  const { report, messages } = startReport()
  const endpoint = new Endpoint(instance(), { warningShare: 0.1 })
  for (const turn of ['ejected', 'left'] as const) report.tell(endpoint, turn)
  t.same(messages(), [leftOut, hasLeft])
})

t.test('that one which is left out has failed again is no line', async t => {
  const { report, messages } = startReport()
  const endpoint = new Endpoint(instance(), { warningShare: 0.1 })
  for (const turn of ['ejected', 'ejected', 'ejected', 'returned'] as const) report.tell(endpoint, turn)
  t.same(messages(), [leftOut, back])
})

t.test('one that fails and comes back without end is told of once, and after a calm minute anew', async t => {
  const { report, clock, messages } = startReport()
  const endpoint = new Endpoint(instance(), { warningShare: 0.1 })
  for (let round = 0; round < 5; round++) {
    report.tell(endpoint, 'ejected')
    report.tell(endpoint, 'returned')
  }
  t.same(messages(), [leftOut, back, flapping])
  clock.advance(60_000)
  report.tell(endpoint, 'ejected')
  t.same(messages().slice(3), [leftOut])
})
