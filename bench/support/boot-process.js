// Starts an app, with the plugin or without, and says how long that took. Plain JavaScript, as it is run by users.
const began = performance.now()
const { default: Fastify } = await import('fastify')
const { default: consul } = process.argv[2] === 'with' ? await import('fastify-consul') : {}
const imported = performance.now()
const app = Fastify()
// Nobody answers there: a boot does not wait for Consul.
if (consul) await app.register(consul, { url: 'http://127.0.0.1:1', service: { name: 'bench' } })
await app.listen({ port: 0, host: '127.0.0.1' })
const listening = performance.now()
console.log(JSON.stringify({ import: imported - began, listen: listening - imported }))
process.exit()
