import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Teardown } from '../../test/support/teardown.ts'

/** The origins of HTTP servers that run together in one process of their own. */
export async function startServers (scope: Teardown, count: number): Promise<string[]> {
  const script = fileURLToPath(new URL('server-process.ts', import.meta.url))
  const child = fork(script, [String(count)], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
  scope.teardown(async () => {
    child.kill()
    await once(child, 'exit')
  })
  const [line] = await once(child.stdout!, 'data')
  return (JSON.parse(String(line)) as number[]).map(port => `http://127.0.0.1:${port}`)
}
