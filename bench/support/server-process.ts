// As many servers as the first argument says, in a process of their own: 64 bytes for every request.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const body = Buffer.alloc(64, 'x')
const servers = Array.from({ length: Number(process.argv[2]) }, () => createServer((request, response) => {
  request.resume()
  response.end(body)
}).listen(0, '127.0.0.1'))
// While the others have their turn nobody's connections are closed.
for (const server of servers) server.keepAliveTimeout = 60_000
await Promise.all(servers.map(server => once(server, 'listening')))
console.log(JSON.stringify(servers.map(server => (server.address() as AddressInfo).port)))
process.once('disconnect', () => process.exit())
