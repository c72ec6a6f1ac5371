import t from 'tap'
import { startScript } from '../support/process.ts'

t.test('after close nothing keeps the process alive: no measurement, no limit, no hung check', async t => {
  const script = await startScript(t, new URL('process-end.ts', import.meta.url))
  await script.line(/^closed$/)
  const closed = performance.now()
  t.same(await script.ended, { code: 0, signal: null })
  t.ok(performance.now() - closed < 1000, 'it ends at once')
})
