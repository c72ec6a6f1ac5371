import { createServiceRegistry, registerWithConsul } from '../../lib/index.ts'

// A plain Node program. What it does is its argument; nothing but the registry could keep it alive.
const [act] = process.argv.slice(2)
if (act === 'script') {
  console.log(`id ${await registerWithConsul({ name: 'scripted', port: 9200, id: 'scripted', check: false })}`)
} else {
  const options = { service: { id: 'worker' }, discovery: { preload: ['other'] } }
  const registry = createServiceRegistry('worker', 9200, options)
  await registry.register()
  await registry.discover('worker').catch(() => {})
  console.log(`state ${registry.registration.state}`)
  if (act === 'close') await registry.close()
  if (act === 'using') await registry[Symbol.asyncDispose]()
  console.log('end')
}
