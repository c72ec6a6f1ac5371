import { setTimeout as delay } from 'node:timers/promises'
import { createServiceRegistry } from '../../lib/index.ts'

// A process that registers the service `contested` on the port that is its argument, and says where it stands.
const registry = createServiceRegistry('contested', Number(process.argv[2]), { service: { id: 'contested' } })
await registry.register()
process.once('SIGTERM', () => registry.close().then(() => process.exit()))
for (let last = ''; ; await delay(20)) {
  const { state } = registry.registration
  if (state !== last) console.log(`state ${state}`)
  last = state
}
