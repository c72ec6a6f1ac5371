// Runs a command with a container runtime and an image of Consul for the tests:
//
//   node --import ./scripts/strip-types.js scripts/with-containers.ts npm test
//
// The runtime is one that answers already (DOCKER_HOST, or the socket of Docker or podman), else a podman of its own,
// which is gone afterwards. The image is built of the Consul that the tests find: nothing is pulled.
// The exit code is that of the command. Where no container can be run at all a line says what is missing, and the tests
// that need one are skipped, which shows in their counts. Where the own podman runs one, but none of that image, this
// is a failure: exit code 1, and the command does not run. A runtime that was there already may lack what has to be
// pulled: the command takes what it finds there.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { typeScript } from '../test/support/children.ts'
import { NoContainers } from '../test/support/plain-container.ts'
import { startPodman } from '../test/support/podman.ts'
import { run } from '../test/support/run.ts'

interface Containers {
  env: Record<string, string>
  stop: () => Promise<void>
}

// Its ports are mapped on this machine, and the container that would clean up cannot be pulled.
const forPodman = { TESTCONTAINERS_HOST_OVERRIDE: '127.0.0.1', TESTCONTAINERS_RYUK_DISABLED: 'true' }

const trial = fileURLToPath(new URL('try-containers.ts', import.meta.url))

const command = process.argv.slice(2)
if (command.length === 0) {
  console.error('Which command is to run with containers is missing')
  process.exit(2)
}

const { env, stop } = await firstOf(existing, ofPodman).catch((error: Error & { stderr?: string }) => {
  console.error(`Containers: they can be run here, but not the one of Consul. ${error.stderr || error.message}`)
  process.exit(1)
})
try {
  process.exitCode = await exitCodeOf(command, { ...process.env, ...env })
} finally {
  await stop()
}

async function firstOf (...places: Array<() => Promise<Containers>>): Promise<Containers> {
  const reasons: string[] = []
  for (const find of places) {
    try {
      return await find()
    } catch (error) {
      if (!(error instanceof NoContainers)) throw error
      reasons.push(error.message)
    }
  }
  console.log(`Containers: none can be run here, tests that need one are skipped (${reasons.join('; ')})`)
  return { env: { TEST_CONTAINERS: 'no' }, stop: async () => {} }
}

async function existing (): Promise<Containers> {
  const env = await tried({}).catch((error: Error & { stderr?: string }) => {
    if (error instanceof NoContainers) throw error
    console.log(`Containers: they can be run here, but not the one of Consul. ${error.stderr || error.message}`)
    return {}
  })
  return { env, stop: async () => {} }
}

async function ofPodman (): Promise<Containers> {
  const { host, stop } = await startPodman()
  try {
    return { env: await tried({ DOCKER_HOST: host, ...forPodman }), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** What the command gets, once a container has run with it. In a process of its own: testcontainers reads it once. */
async function tried (env: Record<string, string>): Promise<Record<string, string>> {
  const own = { ...env, TEST_CONTAINERS: 'local' }
  const { stdout } = await run(process.execPath, [...typeScript, trial], {
    env: { ...process.env, ...own },
    timeout: 180_000
  }).catch((error: Error & { code?: unknown, stderr: string }) => {
    throw error.code === 3 ? new NoContainers(error.stderr.trim().split('\n').at(-1)) : error
  })
  console.log(`Containers: ${stdout.trim()} runs`)
  return { ...own, CONSUL_IMAGE: stdout.trim() }
}

async function exitCodeOf ([command = '', ...args]: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn(command, args, { stdio: 'inherit', env })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  try {
    const [code] = await once(child, 'close')
    return code ?? 1
  } catch (error) {
    console.error(`${command} could not be started: ${(error as Error).message}`)
    return 1
  }
}
