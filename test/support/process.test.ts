import { join } from 'node:path'
import t from 'tap'
import { exists } from './cache.ts'
import { startScript } from './process.ts'
import { until } from './wait.ts'

t.test('a script gets its environment, its signals and says how it ended', async t => {
  const folder = t.testdir({
    'script.ts': `const name: string = process.env.NAME ?? 'nobody'
      process.once('SIGTERM', () => { console.log('bye'); process.exit(3) })
      setInterval(() => {}, 1000)
      console.log('I am ' + name)`
  })
  const script = await startScript(t, join(folder, 'script.ts'), { env: { NAME: 'a' } })
  t.equal(await script.line(/^I am/), 'I am a')
  script.signal('SIGTERM')
  t.strictSame(await script.ended, { code: 3, signal: null })
  t.strictSame(script.lines, ['I am a', 'bye'])
  await t.rejects(script.line(/never/), { message: /ended without a line like/ })
})

t.test('a killed test leaves neither its child process nor the folder of that', async t => {
  const folder = t.testdir({
    'script.ts': `import { startChild } from '${new URL('./children.ts', import.meta.url).href}'
      await startChild('sleep', ['3600'], { stdio: 'inherit', folder: process.env.FOLDER })
      console.log('started')`,
    'its own': {}
  })
  const own = join(folder, 'its own')
  const script = await startScript(t, join(folder, 'script.ts'), { env: { FOLDER: own } })
  await script.line(/^started$/)
  await script.kill()
  // The child holds the same stdout, so that ends only when both have.
  t.equal((await script.ended).signal, 'SIGKILL')
  await until(async () => !await exists(own), { what: 'the folder to go' })
})
