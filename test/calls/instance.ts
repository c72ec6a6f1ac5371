import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

// An instance in a process of its own: each request takes 10 ms.
const server = createServer((request, response) => {
  request.resume()
  setTimeout(() => response.end(String(process.pid)), 10)
})
server.listen(0, '127.0.0.1', () => console.log(`port ${(server.address() as AddressInfo).port}`))
