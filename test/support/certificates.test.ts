import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type ConnectionOptions } from 'node:tls'
import t from 'tap'
import { certificateAuthority } from './certificates.ts'

t.test('two sides with certificates of one authority trust each other, by name', async t => {
  const { ca, issue } = await certificateAuthority()
  const server = createServer({ ...await issue('l02-runtime', '127.0.0.1'), ca, requestCert: true })
  server.on('tlsClientError', () => {})
  t.teardown(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const attempt = async (options: ConnectionOptions): Promise<void> => {
    const socket = connect({ port, host: '127.0.0.1', ca, ...options })
    t.teardown(() => socket.destroy())
    await once(socket, 'secureConnect')
  }

  const client = await issue('l01-data-layer')
  await attempt({ ...client, servername: 'l02-runtime' })
  await attempt(client)
  await t.rejects(attempt({ ...client, servername: 'l03' }), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  const stranger = await certificateAuthority('stranger')
  await t.rejects(attempt({ ...client, ca: stranger.ca }), { code: 'SELF_SIGNED_CERT_IN_CHAIN' })
})
