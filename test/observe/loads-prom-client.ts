import { createRequire } from 'node:module'
import { createServiceRegistry } from '../../lib/index.ts'

/** Says whether prom-client is loaded, by a registry without metrics and then by one with them. */

const { cache } = createRequire(import.meta.url)
const isLoaded = (): boolean => Object.keys(cache).some(path => path.includes('/prom-client/'))

async function run (options: object): Promise<void> {
  const registry = createServiceRegistry('a', 0, { mode: 'static', ...options })
  await registry.discover('b')
  await registry.health.check()
  await registry.request('http://b/').catch(() => {})
  await registry.close()
}

await run({})
console.log(`without: ${isLoaded()}`)
await run({ metrics: { register: { registerMetric () {}, getSingleMetric () {} } } })
console.log(`with: ${isLoaded()}`)
