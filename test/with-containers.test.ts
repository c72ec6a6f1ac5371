import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { exists } from './support/cache.ts'
import { startScript, type Script } from './support/process.ts'

const file = fileURLToPath(new URL('../scripts/with-containers.ts', import.meta.url))
const command = [process.execPath, '-e', 'console.log("told", process.env.TEST_CONTAINERS); process.exitCode = 7']

t.setTimeout(200_000)

t.test('where no container can be run at all the command runs, and is told so', {
  skip: await exists('/var/run/docker.sock') && 'this machine has a Docker'
}, async t => {
  const { PATH, folder } = await pathWith(t, 'podman', 'test "$1" = --version || { echo no mount >&2; exit 125; }')
  const nothing = { DOCKER_HOST: `unix://${folder}/none.sock`, HOME: folder, XDG_RUNTIME_DIR: folder }
  const script = await withContainers(t, { ...nothing, TEST_CONTAINERS: undefined, PATH })
  t.equal((await script.ended).code, 7, script.output)
  t.match(script.lines, [/^Containers: none can be run here, tests that need one are skipped \(.+; .+\)$/, 'told no'])
  if (process.getuid?.() === 0) t.match(script.lines[0], /; (?:no mount|podman needs root and its CAP_SYS_ADMIN)\)$/)
})

t.test('a runtime that answers and can start nothing is none', {
  skip: await exists('/var/run/docker.sock') && 'this machine has a Docker'
}, async t => {
  const runtime = createServer(({ url = '' }, response) => {
    const isQuestion = /\/(?:_ping|info|version)$/.test(url)
    response.writeHead(isQuestion ? 200 : 500, { 'content-type': 'application/json' })
    response.end(isQuestion ? '{}' : '{"message":"operation not permitted"}')
  })
  await once(runtime.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => runtime.close())
  const { PATH, folder } = await pathWith(t, 'podman', 'test "$1" = --version || { echo no mount >&2; exit 125; }')
  const host = `tcp://127.0.0.1:${(runtime.address() as AddressInfo).port}`
  const script = await withContainers(t, { DOCKER_HOST: host, HOME: folder, XDG_RUNTIME_DIR: folder, PATH })
  t.equal((await script.ended).code, 7, script.output)
  t.match(script.lines, [/none can be run here.*operation not permitted.*; /, 'told no'])
})

t.test('where one can be run, but not ours, that is a failure', {
  skip: process.env.TEST_CONTAINERS === 'no' && 'no containers'
}, async t => {
  const { PATH } = await pathWith(t, 'consul', 'echo "Consul v1.2.3"; rm "$0"') // Gone when it is to be copied.
  const script = await withContainers(t, { PATH })
  const { code } = await script.ended
  const none = script.lines.find(line => line.startsWith('Containers: none can be run here'))
  if (none !== undefined) return t.pass(none, { skip: none })
  t.equal(code, 1, script.output)
  t.match(script.output, /^Containers: they can be run here, but not the one of Consul\. .*ENOENT/m)
  t.notOk(script.lines.some(line => line.startsWith('told')), 'the command did not run')
})

async function withContainers (t: Test, env: Record<string, string | undefined>): Promise<Script> {
  return await startScript(t, file, { args: command, env })
}

/** A path on which a program comes first that is this shell script. */
async function pathWith (t: Test, name: string, text: string): Promise<{ PATH: string, folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'fastify-consul-path-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, name), `#!/bin/sh\n${text}\n`)
  await chmod(join(folder, name), 0o755)
  return { PATH: `${folder}${delimiter}${process.env.PATH}`, folder }
}
