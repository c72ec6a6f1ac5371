import { once } from 'node:events'
import { connect, createServer, type Server } from 'node:net'
import Fastify from 'fastify'
import { httpCheck } from '../../lib/health/http-check.ts'
import { HealthCheckManager } from '../../lib/health/manager.ts'
import { addHealthRoutes } from '../../lib/health/routes.ts'

// Boots, asks, closes. Whatever is left then would keep this process alive.
const silent = createServer().listen(0, '127.0.0.1').unref()
silent.on('connection', socket => socket.unref())
await once(silent, 'listening')

const app = Fastify({ forceCloseConnections: true })
const manager = new HealthCheckManager({ timeout: '1h' })
app.addHook('onClose', () => manager.close())
manager.add(httpCheck(`http://127.0.0.1:${portOf(silent)}/hangs`))
await addHealthRoutes(app, {
  manager,
  readyPath: '/health/ready',
  livePath: '/health/live',
  details: 'status',
  underPressure: { maxEventLoopDelay: 1000 },
  isDraining: () => false
})
await app.listen({ port: 0, host: '127.0.0.1' })
const hung = manager.check()
await once(silent, 'connection')
const caller = connect(portOf(app.server), '127.0.0.1').unref()
caller.write('GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n')
await once(caller, 'data')
await app.close()
const { status } = await hung
console.log(status === 'unhealthy' ? 'closed' : `closed, but ${status}`)

function portOf (server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port')
  return address.port
}
