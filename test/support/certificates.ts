import { isIP } from 'node:net'
import { generate } from 'selfsigned'

/** PEM texts. */
export interface Certificate {
  cert: string
  key: string
}

export interface CertificateAuthority {
  /** The authority's own certificate (PEM). */
  ca: string
  /** A certificate for servers and clients, valid for these host names and IP addresses. */
  issue: (name: string, ...moreNames: readonly string[]) => Promise<Certificate>
}

/** A new authority that nobody trusts yet. Everything is made in memory. */
export async function certificateAuthority (name = 'test authority'): Promise<CertificateAuthority> {
  const own = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true }
    ]
  })
  return {
    ca: own.cert,
    async issue (...names) {
      const issued = await generate([{ name: 'commonName', value: names[0] }], {
        keyType: 'ec',
        algorithm: 'sha256',
        ca: { key: own.private, cert: own.cert },
        extensions: [
          { name: 'basicConstraints', cA: false },
          { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
          {
            name: 'subjectAltName',
            altNames: names.map(name => isIP(name) === 0 ? { type: 2, value: name } : { type: 7, ip: name })
          }
        ]
      })
      return { cert: issued.cert, key: issued.private }
    }
  }
}
