import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { exists } from './support/cache.ts'
import { pathWith, withContainers } from './support/with-containers.ts'

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
