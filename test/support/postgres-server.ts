import { chown, cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { startChild } from './children.ts'
import { freePort } from './ports.ts'
import { run } from './run.ts'
import type { Service } from './service.ts'
import type { Teardown } from './teardown.ts'

export interface Credentials {
  user: string
  password: string
  database: string
}

interface Identity {
  uid?: number
  gid?: number
}

/** A new database cluster in a folder of its own, served by the `postgres` in the folder `binaries`. */
export async function startServer (t: Teardown, binaries: string, credentials: Credentials): Promise<Service> {
  const port = await freePort()
  const identity = await unprivileged()
  const folder = await mkdtemp(join(tmpdir(), 'fastify-consul-postgres-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const data = join(folder, 'data')
  const passwordFile = join(folder, 'password')
  await writeFile(passwordFile, credentials.password)
  await give(identity, folder, passwordFile)

  const commands = await reachable(binaries, identity, folder)
  await run(join(commands, 'initdb'), [
    '--pgdata', data, '--username', credentials.user, '--pwfile', passwordFile, '--auth', 'scram-sha-256',
    '--encoding', 'UTF8', '--locale', 'C', '--no-sync'
  ], { ...identity, cwd: folder })
  const child = await startChild(join(commands, 'postgres'), [
    '-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', '', '-F',
    // Nothing may stay behind in shared memory when the server is killed.
    '-c', 'dynamic_shared_memory_type=mmap'
  ], { ...identity, folder, cwd: folder })
  t.teardown(() => child.kill('SIGQUIT'))
  return { host: '127.0.0.1', port, kill: () => child.kill(), stop: () => child.kill('SIGINT') }
}

/** PostgreSQL refuses to run as root. */
async function unprivileged (): Promise<Identity> {
  if (process.getuid?.() !== 0) return {}
  const [uid, gid] = await Promise.all([run('id', ['-u', 'nobody']), run('id', ['-g', 'nobody'])])
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
}

async function give ({ uid, gid }: Identity, ...paths: readonly string[]): Promise<void> {
  if (uid === undefined || gid === undefined) return
  for (const path of paths) await chown(path, uid, gid)
}

/** A checkout in root's home is closed to everyone else: then the binaries are copied next to the data. */
async function reachable (binaries: string, identity: Identity, folder: string): Promise<string> {
  const reached = await run(join(binaries, 'initdb'), ['--version'], { ...identity, cwd: folder })
    .then(() => true, () => false)
  if (reached) return binaries
  await cp(dirname(binaries), join(folder, 'native'), { recursive: true, verbatimSymlinks: true })
  return join(folder, 'native/bin')
}
