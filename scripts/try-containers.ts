// For with-containers.ts: builds an image of Consul, runs a container of it and prints its name.
import { buildConsulImage } from '../test/support/consul-image.ts'
import { startContainer } from '../test/support/containers.ts'

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
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  for (const end of endings) await end()
}
