import Fastify from 'fastify'
import { fastifyConsul } from '../lib/index.ts'

// Boots with another plugin that fails, and never closes.
const [where] = process.argv.slice(2)
const app = Fastify()
const addFailure = (): void => {
  app.addHook('onReady', async () => { throw new Error('not today') })
}
if (where === 'before') addFailure()
await app.register(fastifyConsul, { discovery: { preload: ['other'] } })
if (where === 'after') addFailure()
await app.listen({ port: 0, host: '127.0.0.1' }).catch((error: Error) => console.log(`rejected: ${error.message}`))
