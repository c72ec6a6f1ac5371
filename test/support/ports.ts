import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

// Below the range from which Linux (32768) and macOS (49152) take the ports of outgoing connections: a service that
// is stopped and started again finds its port free. Each of tap's jobs has a share of its own: nobody else takes a port
// before it is listened on.
const share = 3000
const lowest = 20_000 + Number(process.env['TAP_JOB_ID'] ?? 0) % 4 * share
/** None is given twice. */
const given = new Set<number>()

/** Ports of 127.0.0.1 (or another local address) that nothing listens on. */
export async function freePorts (count: number, host = '127.0.0.1'): Promise<number[]> {
  const servers: Server[] = []
  while (servers.length < count) {
    const server = createServer()
    const port = lowest + Math.floor(Math.random() * share)
    if (given.has(port) || !await listen(server, port, host)) continue
    given.add(port)
    servers.push(server)
  }
  return Promise.all(servers.map(close))
}

export async function freePort (host = '127.0.0.1'): Promise<number> {
  const [port] = await freePorts(1, host)
  return port as number
}

async function listen (server: Server, port: number, host: string): Promise<boolean> {
  try {
    server.listen(port, host)
    await once(server, 'listening')
    return true
  } catch {
    return false
  }
}

async function close (server: Server): Promise<number> {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port')
  server.close()
  await once(server, 'close')
  return address.port
}
