import t from 'tap'
import { startScript } from '../support/process.ts'
import { bareEnvironment, copyOfProject } from './bare-machine.ts'
import { withoutOptions } from './boot.ts'

const file = 'examples/platform/platform.ts'
const platform = new URL(`../../${file}`, import.meta.url)

t.setTimeout(120_000)

t.test('every process is replaced under load, and no request is lost', async t => {
  const script = await startScript(t, platform, {
    args: ['--layers', '2'], env: { ...withoutOptions(), CONSUL_URL: '' }
  })
  const { code } = await script.ended
  const { lines } = script
  t.equal(code, 0, script.output)
  t.match(lines.slice(0, 4), [/^2 service layers.* full$/, /^Consul \d.* at http:/, /^PostgreSQL at/, /^Redis at/])
  for (const layer of ['l01-data-layer', 'l02-runtime']) {
    t.ok(lines.some(line => line.startsWith(`${layer} replaced in`)), layer)
  }
  t.equal(numbersOf(lines, 'replaced')[0], 2)
  const [requests = 0, failed] = numbersOf(lines, 'requests')
  const [calls, callsFailed] = numbersOf(lines, 'calls')
  t.ok(requests >= 200, `${requests} requests`)
  t.strictSame([failed, callsFailed], [0, 0])
  t.equal(calls, requests * 2, 'each request went through both')
  t.strictSame(numbersOf(lines, 'attempts'), [calls], 'undici has seen each call once')
  t.strictSame(numbersOf(lines, 'retries'), [0])
  t.ok(lines.includes('Done: 0 failed'))
  t.notOk(lines.some(line => line.includes('\u001b')), 'no control character in a pipe')
})

t.test('killed instead, processes take requests with them, and the platform says so', async t => {
  const copy = await copyOfProject(t.testdir({}))
  const script = await startScript(t, `${copy}/${file}`, {
    args: ['--layers', '2', '--kill'], env: { ...withoutOptions(), ...bareEnvironment }
  })
  const { code } = await script.ended
  const { lines } = script
  t.equal(code, 1, script.output)
  const [, failed = 0] = numbersOf(lines, 'requests')
  t.ok(failed > 0, `${failed} failed`)
  const [retries = 0] = numbersOf(lines, 'retries')
  t.ok(retries > 0, 'the GETs among them were sent again')
  t.ok(lines.some(line => line.startsWith('  The first failure: POST')), 'a POST is not')
  t.ok(lines.includes('Done, and not without failures'))
})

t.test('in mode register the platform ends with the evidence that Consul would have answered the same', async t => {
  const copy = await copyOfProject(t.testdir({}))
  const script = await startScript(t, `${copy}/${file}`, {
    args: ['--layers', '2'], env: { ...withoutOptions(), ...bareEnvironment, CONSUL_MODE: 'register' }
  })
  await script.ended
  const line = script.lines.find(line => line.startsWith('  compared '))
  t.equal(line, '  compared  Consul lists 2 of 2 layers at their fixed addresses', script.output)
})

/** Those of a line of the report. */
function numbersOf (lines: readonly string[], title: string): number[] {
  const line = lines.find(line => line.startsWith(`  ${title} `)) ?? ''
  return (line.match(/\b\d+(,\d+)*\b/g) ?? []).map(text => Number(text.replaceAll(',', '')))
}
