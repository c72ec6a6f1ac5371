import Fastify from 'fastify'
import { fastifyConsul } from '../../lib/index.ts'

// A service as environment alone configures it: PORT, CONSUL_URL, SERVICE_NAME … SIGTERM closes it.
const app = Fastify()
await app.register(fastifyConsul)
app.get('/', async () => 'hello')
process.once('SIGTERM', () => app.close())
try {
  await app.listen({ port: Number(process.env['PORT'] ?? '0'), host: '127.0.0.1' })
  console.log(`listening at ${Date.now()}`)
} catch (error) {
  console.log(`failed with ${(error as NodeJS.ErrnoException).code}`)
}
