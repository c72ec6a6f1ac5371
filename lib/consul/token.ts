import { readFile } from 'node:fs/promises'
import type { TokenSource } from '../resolved-options.ts'

/** The token to send now, or `undefined` for the agent's own. */
export async function currentToken (source: TokenSource | undefined): Promise<string | undefined> {
  switch (source?.kind) {
    case undefined: return undefined
    case 'value': return source.value
    case 'function': return await source.get()
    case 'file': return (await readFile(source.path, 'utf8')).trim()
  }
}
