// For with-containers.ts: builds an image of Consul, runs a container of it and prints its name. Exit code 3: no
// container can be run here, whatever is in it.
import { setTimeout } from 'node:timers/promises'
import { buildConsulImage } from '../test/support/consul-image.ts'
import { containerRuntime, startContainer } from '../test/support/containers.ts'
import { runPlainContainer } from '../test/support/plain-container.ts'

await Promise.race([containerRuntime().then(runPlainContainer), tooLate(60_000)]).catch(error => {
  console.error(messageOf(error))
  process.exit(3)
})

const endings: Array<() => unknown> = []
try {
  const image = await buildConsulImage()
  await startContainer({ teardown: fn => endings.push(fn) }, {
    image,
    port: 8500,
    ready: /Starting Consul agent/,
    command: ['agent', '-dev', '-client=0.0.0.0']
  })
  console.log(image)
} catch (error) {
  console.error(messageOf(error))
  process.exitCode = 1
} finally {
  for (const end of endings) await end()
}

async function tooLate (ms: number): Promise<never> {
  await setTimeout(ms, undefined, { ref: false })
  throw new Error(`a container did not run within ${ms} ms`)
}

function messageOf (error: unknown): unknown {
  return error instanceof Error ? error.message : error
}
