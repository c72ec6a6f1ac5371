// Runs a command with a container runtime and an image of Consul for the tests:
//
//   node --import ./scripts/strip-types.js scripts/with-containers.ts npm test
//
// The runtime is one that answers already (DOCKER_HOST, or the socket of Docker or podman), else a podman of its own,
// which is gone afterwards. The image is built of the Consul that the tests find: nothing is pulled.
// The command runs in any case, and its exit code is the one of this. Where no container can be run a line says what
// is missing, and the tests that need one are skipped, which shows in their counts.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { typeScript } from '../test/support/children.ts'
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

const { env, stop } = await existing()
  .catch(async missing => await ofPodman().catch(reason => none(missing, reason)))
try {
  process.exitCode = await exitCodeOf(command, { ...process.env, ...env })
} finally {
  await stop()
}

async function existing (): Promise<Containers> {
  return { env: await tried({}), stop: async () => {} }
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
    timeout: 120_000
  })
  console.log(`Containers: ${stdout.trim()} runs`)
  return { ...own, CONSUL_IMAGE: stdout.trim() }
}

function none (...reasons: Array<Error & { stderr?: string }>): Containers {
  const told = reasons.map(({ stderr, message }) => (stderr ?? message).trim().split('\n').at(-1))
  console.log(`Containers: none can be run here, tests that need one are skipped (${told.join('; ')})`)
  return { env: { TEST_CONTAINERS: 'no' }, stop: async () => {} }
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
