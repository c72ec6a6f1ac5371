import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startScript, type Script } from './process.ts'
import type { Teardown } from './teardown.ts'

const file = fileURLToPath(new URL('../../scripts/with-containers.ts', import.meta.url))
const command = [process.execPath, '-e', 'console.log("told", process.env.TEST_CONTAINERS); process.exitCode = 7']

/** scripts/with-containers.ts with a command that says what it is told, and ends with 7. */
export async function withContainers (t: Teardown, env: Record<string, string | undefined>): Promise<Script> {
  return await startScript(t, file, { args: command, env })
}

/** A path on which a program comes first that is this shell script. */
export async function pathWith (t: Teardown, name: string, text: string): Promise<{ PATH: string, folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'fastify-consul-path-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, name), `#!/bin/sh\n${text}\n`)
  await chmod(join(folder, name), 0o755)
  return { PATH: `${folder}${delimiter}${process.env.PATH}`, folder }
}
