import { readFile } from 'node:fs/promises'
import { TokenError } from '../errors.ts'
import type { TokenSource } from '../options/resolved.ts'

/**
 * The token to send now, or `undefined` for the agent's own.
 *
 * @throws FST_CONSUL_TOKEN if it cannot be had, or is none that a header can hold
 */
export async function currentToken (source: TokenSource | undefined): Promise<string | undefined> {
  if (source === undefined) return undefined
  const token = await read(source)
  // A file that is empty is being written. Without a token Consul may answer with less than there is, and no error.
  if (token === '' && source.kind !== 'file') return undefined
  if (typeof token === 'string' && /^[\x21-\x7e]+$/.test(token)) return token
  throw new TokenError(nameOf(source), 'it must be a string of printable characters without spaces')
}

async function read (source: TokenSource): Promise<string> {
  try {
    switch (source.kind) {
      case 'value': return source.value
      case 'function': return await source.get()
      case 'file': return (await readFile(source.path, 'utf8')).trim()
    }
  } catch (cause) {
    throw new TokenError(nameOf(source), cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

function nameOf (source: TokenSource): string {
  return source.kind === 'file' ? `the file ${source.path}` : 'the token option'
}
