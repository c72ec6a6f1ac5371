import { readFile } from 'node:fs/promises'
import { TokenError } from '../errors.ts'
import type { TokenSource } from '../options/resolved.ts'

/**
 * The ACL token as its source has it now: a file is read, and a function called, for every request. Whoever listens
 * hears when it has become another one.
 */
export class Token {
  readonly #source: TokenSource | undefined
  readonly #listeners = new Set<() => void>()
  #value: string | undefined
  /** How many reads have begun, and which of them gave the value. */
  #begun = 0
  #newest = 0

  constructor (source: TokenSource | undefined) {
    this.#source = source
  }

  /** Whether only asking tells of a change that nobody here has made. */
  get isFile (): boolean {
    return this.#source?.kind === 'file'
  }

  /**
   * The token to send now, or `undefined` for the agent's own.
   *
   * @throws FST_CONSUL_TOKEN if it cannot be had, or is none that a header can hold
   */
  async read (): Promise<string | undefined> {
    const turn = ++this.#begun
    const value = await currentToken(this.#source)
    // One that began earlier and took longer may give the token of before.
    if (turn > this.#newest) this.#renew(value, turn)
    return value
  }

  /** @returns what ends it */
  onChange (listener: () => void): () => void {
    const own = () => listener()
    this.#listeners.add(own)
    return () => this.#listeners.delete(own)
  }

  #renew (value: string | undefined, turn: number): void {
    const isFirst = this.#newest === 0
    const isSame = value === this.#value
    this.#newest = turn
    this.#value = value
    if (isFirst || isSame) return
    for (const listener of [...this.#listeners]) listener()
  }
}

async function currentToken (source: TokenSource | undefined): Promise<string | undefined> {
  if (source === undefined) return undefined
  const token = await valueOf(source)
  // A file that is empty is being written. Without a token Consul may answer with less than there is, and no error.
  if (token === '' && source.kind !== 'file') return undefined
  if (typeof token === 'string' && /^[\x21-\x7e]+$/.test(token)) return token
  throw new TokenError(nameOf(source), 'it must be a string of printable characters without spaces')
}

async function valueOf (source: TokenSource): Promise<string> {
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
