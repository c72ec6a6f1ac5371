import t from 'tap'
import { ViewTable } from '../../lib/discovery/view-table.ts'
import type { ServiceView, Upkeep } from '../../lib/discovery/view.ts'

function tableOf () {
  const forgotten: ServiceView[] = []
  return { forgotten, table: new ViewTable(view => forgotten.push(view)) }
}

function fill (table: ViewTable, count: number, upkeep: Upkeep, prefix: string): void {
  for (let i = 0; i < count; i++) table.obtain(`${prefix}-${i}`, {}).upkeep = upkeep
}

t.test('tag, tags and status share a view; datacenter, filter and near have their own', async t => {
  const { table } = tableOf()
  const plain = table.obtain('web', {})
  t.equal(table.obtain('web', { tag: 'x', tags: ['y'], passingOnly: true }), plain)
  const others = [{ datacenter: 'a' }, { filter: 'a' }, { near: 'a' }, { datacenter: 'a', filter: 'a' }]
  const views = new Set([plain, ...others.map(query => table.obtain('web', query))])
  t.equal(views.size, 5)
  t.equal(table.find('web', { filter: 'a' })?.key.filter, 'a')
  t.equal(table.find('web', { filter: 'b' }), undefined)
  for (const view of views) t.equal(table.find('web', view.key), view)
})

t.test('no name finds the view of another name', async t => {
  const { table } = tableOf()
  const view = table.obtain('web', { datacenter: 'dc2' })
  t.equal(table.find('web\ndc2', {}), undefined)
  t.equal(table.find('web\r["dc2",null,null]', {}), undefined)
  t.equal(table.find('web', { datacenter: '["dc2",null,null]' }), undefined)
  t.equal(table.find('web\ndc2\n\n', {}), undefined)
  t.equal(table.find('web', { datacenter: 'dc2' }), view)
  for (const name of ['__proto__', 'constructor', 'toString']) t.equal(table.find(name, {}), undefined)
})

t.test('more than a thousand names are not remembered', async t => {
  const { table, forgotten } = tableOf()
  fill(table, 10_000, 'unknown', 'junk')
  t.equal(table.size, 1000)
  t.equal(forgotten.length, 9000)
  t.equal(table.find('junk-0', {}), undefined)
  t.ok(table.find('junk-9999', {}))
})

t.test('junk pushes out junk, and no list that is worth something', async t => {
  const { table, forgotten } = tableOf()
  const kinds = ['watched', 'polled', 'idle'] as const
  for (const upkeep of kinds) fill(table, 10, upkeep, upkeep)
  fill(table, 5000, 'unknown', 'junk')
  for (const upkeep of kinds) {
    for (let i = 0; i < 10; i++) t.ok(table.find(`${upkeep}-${i}`, {}), `${upkeep}-${i}`)
  }
  t.ok(forgotten.every(({ upkeep }) => upkeep === 'unknown'))
})

t.test('lists that nobody asks for make room; what is watched or polled stays', async t => {
  const { table, forgotten } = tableOf()
  fill(table, 400, 'watched', 'watched')
  fill(table, 300, 'polled', 'polled')
  fill(table, 300, 'idle', 'idle')
  fill(table, 400, 'watched', 'more')
  t.same(forgotten.map(({ upkeep }) => upkeep), Array(300).fill('idle'))
  t.equal(table.size, 1100, 'only what is kept up to date may be more')
  fill(table, 5000, 'unknown', 'junk')
  t.equal(table.size, 1101, 'and of junk one name then')
})

t.test('a view that was forgotten before its answer came is remembered again', async t => {
  const { table, forgotten } = tableOf()
  const view = table.obtain('web', {})
  fill(table, 1000, 'new', 'junk')
  t.equal(forgotten[0], view)
  view.upkeep = 'unknown'
  t.equal(table.readmit(view), view)
  t.equal(table.find('web', {}), view)
  t.equal(table.size, 1000)
})

t.test('but not in the place of another one, unless nothing is known of that', async t => {
  const { table } = tableOf()
  const late = table.obtain('web', {})
  table.forget(late)
  const next = table.obtain('web', {})
  next.upkeep = 'watched'
  t.equal(table.readmit(late), next)
  next.upkeep = 'new'
  t.equal(table.readmit(late), late)
  t.same([...table.of('web')], [late])
})

t.test('the other views of a service are those of its name, in any case', async t => {
  const { table } = tableOf()
  const plain = table.obtain('web', {})
  const filtered = table.obtain('web', { filter: 'x' })
  const shouted = table.obtain('WEB', {})
  table.obtain('website', {})
  t.same(table.othersOf(plain), [filtered, shouted])
  table.forget(filtered)
  t.same(table.othersOf(filtered), [plain, shouted])
  t.same([...table.of('Web')], [plain, shouted])
  for (const view of [plain, shouted]) table.forget(view)
  t.same([...table.of('web')], [])
})
