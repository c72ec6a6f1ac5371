import t from 'tap'
import { reasonOf } from '../../lib/consul/connection-error.ts'

const failure = (message: string, code?: string, cause?: Error) =>
  Object.assign(new Error(message, { cause }), code !== undefined && { code })

t.test('an error is told in its own words, with its code once', async t => {
  t.equal(reasonOf(failure('connect ECONNREFUSED 127.0.0.1:1', 'ECONNREFUSED')), 'connect ECONNREFUSED 127.0.0.1:1')
  t.equal(reasonOf(failure('', 'ECONNREFUSED')), 'ECONNREFUSED')
  t.equal(reasonOf(failure('other side closed', 'UND_ERR_SOCKET')), 'other side closed UND_ERR_SOCKET')
  t.equal(reasonOf('odd'), 'odd')
})

t.test('what TLS says is told with the option to look at, whichever way a version of Node says it', async t => {
  const rows: [error: Error, hint: RegExp][] = [
    [failure('unable to verify the first certificate', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'), /see tls\.ca/],
    [failure('self-signed certificate', 'DEPTH_ZERO_SELF_SIGNED_CERT'), /see tls\.ca/],
    [failure('Hostname does not match', 'ERR_TLS_CERT_ALTNAME_INVALID'), /tls\.servername/],
    [failure('certificate has expired', 'CERT_HAS_EXPIRED'), /not valid now/],
    [failure('error:0A000412:sslv3 alert bad certificate', 'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE'), /see tls\.cert/],
    [failure('tlsv13 alert certificate required', 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'), /see tls\.cert/],
    [failure('write EPROTO error:0A000418:tlsv1 alert unknown ca', 'EPROTO'), /see tls\.cert/],
    [failure('write EPROTO error:0A00010B:wrong version number', 'EPROTO'), /no TLS is spoken there/],
    [failure('closed', 'UND_ERR_SOCKET', failure('alert', 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA')), /see tls\.cert/]
  ]
  for (const [error, hint] of rows) t.match(reasonOf(error), hint)
  t.notMatch(reasonOf(failure('tlsv1 alert protocol version', 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION')), /see tls/)
})
