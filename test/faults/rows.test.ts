import { access } from 'node:fs/promises'
import t from 'tap'
import { faultRows, faultRowsSection } from './rows.ts'

t.test('every file that is said to cover a fault exists', async t => {
  for (const file of faultRows.flatMap(({ tests }) => tests)) {
    await t.resolves(access(new URL(`../${file}`, import.meta.url)), file)
  }
})

t.test('a fault that nothing covers has a reason', async t => {
  const open = faultRows.filter(({ tests }) => tests.length === 0)
  t.ok(open.every(({ note }) => note !== undefined))
})

t.test('each of the 28 faults has its line', async t => {
  const lines = faultRowsSection().filter(line => /^\| \d/.test(line))
  t.same(lines.map(line => Number(line.split('|')[1])), Array.from({ length: 28 }, (_, index) => index + 1))
})
