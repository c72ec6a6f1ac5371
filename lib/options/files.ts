import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { shownPath, type Refusal } from './error.ts'
import type { ResolvedTls, TokenSource } from './resolved.ts'

interface TlsFields {
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
  readonly servername: string | undefined
  readonly rejectUnauthorized: boolean
}

/** Reads the files of a `tls` section and makes sure that what is in them can be used. */
export function readTls (section: 'tls' | 'calls.tls', fields: TlsFields, refuse: Refusal): ResolvedTls {
  const { servername, rejectUnauthorized } = fields
  const [ca, cert, key] = (['ca', 'cert', 'key'] as const).map(name => {
    return readPem(`${section}.${name}`, fields[name], refuse)
  })
  usable(ca, `${section}.ca`, 'PEM certificates', parseAll, refuse)
  usable(cert, `${section}.cert`, 'a PEM certificate', text => createSecureContext({ cert: text }), refuse)
  usable(key, `${section}.key`, `the unencrypted PEM key of ${section}.cert`,
    text => createSecureContext({ key: text, cert: cert?.text }), refuse)
  return Object.freeze({
    ca: ca?.text,
    cert: cert?.text,
    key: key?.text,
    servername,
    rejectUnauthorized,
    files: Object.freeze({ ca: ca?.file, cert: cert?.file, key: key?.file })
  })
}

/** Where the token comes from; a file must be readable and hold one. */
export function tokenSourceOf (
  token: string | (() => string | Promise<string>) | undefined, tokenFile: string | undefined, refuse: Refusal
): TokenSource | undefined {
  if (typeof token === 'string') return Object.freeze({ kind: 'value', value: token })
  if (token !== undefined) return Object.freeze({ kind: 'function', get: token })
  if (tokenFile === undefined) return undefined
  const expected = 'the path of a readable file with a token'
  const text = readText('tokenFile', tokenFile, expected, refuse).trim()
  if (!/^[\x21-\x7e]+$/.test(text)) {
    throw refuse('tokenFile', expected, `${shownPath(tokenFile)}, which ${text === '' ? 'is empty' : 'holds none'}`)
  }
  return Object.freeze({ kind: 'file', path: tokenFile })
}

interface Pem {
  readonly text: string
  readonly file: string | undefined
}

function readPem (option: string, value: string | undefined, refuse: Refusal): Pem | undefined {
  if (value === undefined) return undefined
  if (value.includes('-----BEGIN')) return { text: value, file: undefined }
  return { text: readText(option, value, 'PEM text or the path of a readable PEM file', refuse), file: value }
}

function readText (option: string, path: string, expected: string, refuse: Refusal): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw refuse(option, expected, `${shownPath(path)} (${(error as NodeJS.ErrnoException).code ?? 'unreadable'})`)
  }
}

/** TLS would pass over one that cannot be parsed, and all that come after it. */
function parseAll (text: string): X509Certificate[] {
  const parts = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [text]
  return parts.map(part => new X509Certificate(part))
}

function usable (
  pem: Pem | undefined, option: string, expected: string, use: (text: string) => unknown, refuse: Refusal
): void {
  if (pem === undefined) return
  try {
    use(pem.text)
  } catch (error) {
    const { reason = 'unusable' } = error as { reason?: string }
    throw refuse(option, expected, `${pem.file === undefined ? 'text (not shown)' : shownPath(pem.file)}: ${reason}`)
  }
}
