import t from 'tap'
import { startScript } from '../support/process.ts'
import { withoutOptions } from './boot.ts'

const demo = new URL('../../examples/demo/demo.ts', import.meta.url)

t.setTimeout(120_000)

t.test('the demo loses no request and tells what it saw', async t => {
  const asNpmRunDemo = ['--import', 'tsx']
  const script = await startScript(t, demo, { nodeArgs: asNpmRunDemo, env: withoutOptions() })
  const { code } = await script.ended
  const { lines } = script
  t.equal(code, 0, script.output)
  t.notOk(lines.some(line => line.includes('\u001b')), 'no control character in a pipe')

  const { 'l02-runtime-3': degraded = 0 } = sharesAfter(lines, /^Degraded/)
  t.ok(degraded > 2 && degraded < 15, `about a tenth of what the others get: ${degraded} %`)
  t.match(lines.find(line => /ended with exit code/.test(line)), /exit code 0: /)
  const { 'l02-runtime-3': back = 0 } = sharesAfter(lines, /^Started again/)
  t.ok(back > 2 && back < 40, `the one that was killed takes traffic again, a little at first: ${back} %`)

  const [requests = 0, attempts, refused = 0, broken = 0, failed] = cells(lines, /^ +In all/)
  t.ok(requests >= 4020)
  t.equal(failed, 0)
  t.equal(attempts, requests + refused + broken, 'each attempt is a request, or a new one for one that was lost')
  t.ok(refused + broken > 0, 'the one that was killed was called')
  t.strictSame(cells(lines, /^ +SIGTERM/).slice(2), [0, 0, 0], 'the one that left refused nothing')
})

/** The numbers of a line of the table. */
function cells (lines: readonly string[], row: RegExp): number[] {
  const line = lines.find(line => row.test(line)) ?? ''
  return (line.match(/[\d,]+(?=\s|$)/g) ?? []).map(cell => Number(cell.replaceAll(',', '')))
}

/** Per cent of the requests by instance, of the lines below a title. */
function sharesAfter (lines: readonly string[], title: RegExp): Record<string, number> {
  const below = lines.slice(lines.findIndex(line => title.test(line)))
  const rows = below.slice(0, below.indexOf('')).map(line => /^ +(l02-runtime-\d) .* ([\d.]+) %$/.exec(line))
  return Object.fromEntries(rows.flatMap(row => row === null ? [] : [[row[1], Number(row[2])]]))
}
