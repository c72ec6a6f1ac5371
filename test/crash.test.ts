import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createServiceRegistry } from '../lib/index.ts'
import { collectingLogger } from './health/collecting-logger.ts'
import { startScript } from './support/process.ts'

const perSecond = 300

/** Three processes that are called by fixed addresses: nobody tells of the death of one. */
async function startService (t: Test) {
  const scripts = await Promise.all([1, 2, 3].map(() =>
    startScript(t, new URL('calls/instance.ts', import.meta.url))))
  const lines = await Promise.all(scripts.map(script => script.line(/^port/)))
  const fallback = { svc: lines.map(line => `http://127.0.0.1:${line.split(' ')[1]}`) }
  const registry = createServiceRegistry('caller', 1, {
    mode: 'static', fallback, logger: collectingLogger().logger
  })
  t.teardown(() => registry.close())
  return { registry, scripts }
}

t.test('when one of three is killed no GET fails, and a POST only if it was on its way already', async t => {
  const { registry, scripts } = await startService(t)
  const failed: { method: string, at: number, code: unknown }[] = []
  const calls: Promise<void>[] = []
  let begun = performance.now()
  let killed = Infinity

  const call = async (method: 'GET' | 'POST'): Promise<void> => {
    const at = performance.now()
    try {
      const response = await registry.fetch('http://svc/', { method, ...(method === 'POST' && { body: 'x' }) })
      if (response.status !== 200 || !/^\d+$/.test(await response.text())) throw new Error(`${response.status}`)
    } catch (error) {
      failed.push({ method, at, code: (error as { cause?: { code?: unknown } }).cause?.code ?? error })
    }
  }
  // Whatever the answers do, requests come at their times; a machine that is late does not get them all at once.
  for (let sent = 0; sent < 3 * perSecond; sent++) {
    const late = performance.now() - begun - sent * 1000 / perSecond
    if (late > 50) begun += late
    await delay(Math.max(-late, 0))
    calls.push(call(sent % 2 === 0 ? 'GET' : 'POST'))
    if (sent === perSecond) scripts[1]!.kill().then(() => { killed = performance.now() })
  }
  await Promise.all(calls)

  t.equal(calls.length, 3 * perSecond)
  t.same(failed.filter(({ method }) => method === 'GET'), [])
  t.comment(`${failed.length} POSTs failed`)
  for (const { code, at } of failed) {
    t.match(String(code), /^(UND_ERR_SOCKET|ECONNRESET|EPIPE)$/)
    t.equal(at < killed, true, 'begun before the process had ended')
  }
})
