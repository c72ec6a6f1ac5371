// Compiled by `npm run typecheck`, never run: a program that declares its services. What it does not declare is refused
// wherever a service is named; without a declaration (../plugin.ts) any name is fine.
import Fastify from 'fastify'
import consul, { createServiceRegistry, serviceCheck, type ServiceName } from 'fastify-consul'

declare module 'fastify-consul' {
  interface ConsulServices {
    'l01-data-layer': true
    'l02-runtime': true
  }
}

const app = Fastify()
await app.register(consul, {
  fallback: { 'l01-data-layer': 'http://127.0.0.1:8001' },
  discovery: { preload: ['l01-data-layer'] },
  calls: { allow: ['l01-data-layer', 'l02-runtime'] }
})
// @ts-expect-error misspelt
await app.register(consul, { fallback: { 'l01-data': 'http://127.0.0.1:8001' } })
// @ts-expect-error misspelt
await app.register(consul, { discovery: { preload: ['l01-data'] } })
// @ts-expect-error misspelt
await app.register(consul, { calls: { allow: ['l02-runtme'] } })

await app.discover('l02-runtime', { tag: 'v1' })
// @ts-expect-error misspelt
await app.discover('l02-runtme')
// @ts-expect-error misspelt
await app.consul.getServiceAddress('l02-runtme')
// @ts-expect-error misspelt
await app.consul.getServiceUrl('l02-runtme')
// @ts-expect-error misspelt
app.consul.explain('l02-runtme')
app.consul.health.add(serviceCheck(app, 'l02-runtime'))
// @ts-expect-error misspelt
serviceCheck(app, 'l02-runtme')

// A name that comes from elsewhere.
const name: string = Object.keys(await app.consul.listServices())[0]!
// @ts-expect-error any string
await app.discover(name)
await app.discover(name as ServiceName)

// One's own name need not be among those that one calls.
await using alone = createServiceRegistry('worker', 9000, { service: { tags: ['v1'] } })
await alone.discover('l01-data-layer')
