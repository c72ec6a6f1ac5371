import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exists } from './cache.ts'
import { startChild, type Child } from './children.ts'
import { NoContainers } from './plain-container.ts'
import { podmanEnvironment } from './podman-environment.ts'
import { run } from './run.ts'
import { until } from './wait.ts'

export interface Podman {
  /** For `DOCKER_HOST`. */
  host: string
  /** Ends its containers and the service, and removes what was kept. */
  stop: () => Promise<void>
}

/** Its number in the kernel, capabilities(7). */
const capSysAdmin = 21n

/**
 * Podman, with Docker's API on a socket of its own. Images, containers and networks are kept in a temporary folder:
 * what else the machine has of them is neither seen nor changed. Needs root: for anyone else it depends on how the
 * machine was set up, and podman leaves a process behind.
 *
 * @throws NoContainers where there is no podman, or one that has not what it needs
 */
export async function startPodman (): Promise<Podman> {
  if (!await mayMount()) throw new NoContainers('podman needs root and its CAP_SYS_ADMIN')
  const folder = await mkdtemp(join(tmpdir(), 'fastify-consul-podman-'))
  try {
    const env = await willingPodman(folder)
    const socket = join(folder, 'podman.sock')
    const service = await startChild('podman', ['system', 'service', '--time=0', `unix://${socket}`], { folder, env })
    await listening(service, socket)
    const stop = async (): Promise<void> => {
      await run('podman', ['rm', '--all', '--force', '--time=0'], { env, timeout: 30_000 }).catch(() => {})
      await service.kill('SIGTERM')
      await rm(folder, { recursive: true, force: true })
    }
    return { host: `unix://${socket}`, stop }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

/** Its environment. */
async function willingPodman (folder: string): Promise<NodeJS.ProcessEnv> {
  try {
    const env = await podmanEnvironment(folder)
    await run('podman', ['info'], { env, timeout: 30_000 })
    return env
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string }
    throw new NoContainers((stderr ?? message).trim().split('\n').at(-1), { cause: error })
  }
}

async function listening (service: Child, socket: string): Promise<void> {
  await until(async () => !service.running || await exists(socket), { timeout: 30_000, what: 'podman\'s socket' })
  if (service.running) return
  await service.ended
  throw new Error(`podman ended: ${service.output}`)
}

async function mayMount (): Promise<boolean> {
  if (process.getuid?.() !== 0) return false
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '')
  const [, effective = '0'] = /^CapEff:\s*(\w+)$/m.exec(status) ?? []
  return (BigInt(`0x${effective}`) >> capSysAdmin & 1n) === 1n
}
