// The registry without Fastify: a worker that listens on no port. Nobody could check it from outside, so it tells
// Consul itself, by a TTL check, how it is.
//
//   SERVICE_NAME=worker node --import tsx examples/worker.ts
//
// Environment: SERVICE_NAME (default worker), SERVICE_ID (a second worker on the same machine needs its own: without a
// port the default is the same for both), CONSUL_URL (default http://127.0.0.1:8500).
import { setTimeout } from 'node:timers/promises'
import { createServiceRegistry } from 'fastify-consul'

const registry = createServiceRegistry(process.env.SERVICE_NAME ?? 'worker', 0)
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => registry.close())

let lastJob = Date.now()
registry.health.add({
  name: 'jobs',
  run () {
    if (Date.now() - lastJob > 60_000) throw new Error('no job was done for a minute')
  }
})

await registry.register()
while (!registry.signal.aborted) {
  await work()
  lastJob = Date.now()
}

async function work (): Promise<void> {
  const instances = await registry.discover('l02-runtime').catch(() => [])
  console.log('A job, with %d instances of l02-runtime to help', instances.length)
  await setTimeout(1000, undefined, { signal: registry.signal }).catch(() => {})
}
