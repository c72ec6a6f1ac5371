import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { blocksOf } from './docs/blocks.ts'
import { install } from './docs/installed.ts'
import { typed } from './docs/quick-start.ts'
import { allTesters } from './docs/testers.ts'
import { startWorld } from './docs/world.ts'
import { passing } from './examples/boot.ts'
import { startConsul } from './support/consul.ts'
import { allPages } from './support/pages.ts'

const folder = t.testdir() // Inside of the project, so that `fastify-consul` is this package.
const blocks = (await allPages()).flatMap(blocksOf)
const [world, secure] = await Promise.all([startWorld(t, folder), startConsul(t, { acl: true })])
const problems = await allTesters(t, folder, { world, secure, sources: await sourcesOfExamples() })(blocks)

t.test('every code block of the documentation holds what it says', async t => {
  for (const block of blocks) {
    const found = problems.filter(problem => problem.block === block).map(({ message }) => message)
    t.same(found, [], `${block.page}:${block.line} ${block.language}`)
  }
})

// The quick start

const quickStart = blocks.filter(({ page, heading }) => page === 'README.md' && heading === 'Quick start')

for (const [consul, signal] of [['the development agent', 'SIGINT'], ['a real Consul', 'SIGTERM']] as const) {
  t.test(`the quick start, typed from the page, ends in a service that calls another, with ${consul}`, async t => {
    const folder = await mkdtemp(join(tmpdir(), 'fastify-consul-quick-start-'))
    t.teardown(() => rm(folder, { recursive: true, force: true }))
    const desk = await typed(t, quickStart, {
      folder,
      install: names => install(folder, names),
      ...(consul === 'a real Consul' && { consulPort: (await startConsul(t)).port })
    })
    t.equal(desk.services.size, 2)
    t.ok(desk.answers.length > 0)
    for (const { status, body, shown } of desk.answers) {
      t.equal(status, 200)
      t.same(body, shown)
    }
    for (const [name, service] of desk.services) {
      service.signal(signal)
      t.same(await service.ended, { code: 0, signal: null }, `${name} ends by itself`)
      t.same(await passing(desk, name), [], `${name} has left Consul`)
    }
  })
}

async function sourcesOfExamples (): Promise<string> {
  const examples = new URL('../examples/', import.meta.url)
  const names = (await readdir(examples, { recursive: true })).filter(name => name.endsWith('.ts'))
  return (await Promise.all(names.map(name => readFile(new URL(name, examples), 'utf8')))).join('\n')
}
