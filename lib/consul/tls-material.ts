import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { ResolvedTls } from '../options/resolved.ts'

const parts = ['ca', 'cert', 'key'] as const

type Texts = Readonly<Record<typeof parts[number], string | undefined>>

export interface Material {
  /** The same object as long as nothing has changed. */
  readonly context: SecureContext
  /** Why the files of now cannot be used: the material is that of before. */
  readonly problem: string | undefined
}

/**
 * Certificates and key for the next connection. Files are read again; while they cannot be used, as a certificate that
 * is written already and its key that is not, what was good before goes on.
 */
export class TlsMaterial {
  readonly #tls: ResolvedTls
  #texts: Texts
  #context: SecureContext

  constructor (tls: ResolvedTls) {
    this.#tls = tls
    this.#texts = tls
    this.#context = contextOf(tls)
  }

  async current (): Promise<Material> {
    let problem: string | undefined
    try {
      this.#renew(await this.#read())
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      problem = `the files of tls cannot be used (${code ?? message})`
    }
    return { context: this.#context, problem }
  }

  async #read (): Promise<Texts> {
    const { files } = this.#tls
    const entries = parts.map(async part => {
      const file = files[part]
      return [part, file === undefined ? this.#tls[part] : await readFile(file, 'utf8')] as const
    })
    return Object.fromEntries(await Promise.all(entries)) as Texts
  }

  #renew (texts: Texts): void {
    if (parts.every(part => texts[part] === this.#texts[part])) return
    this.#context = contextOf(texts)
    this.#texts = texts
  }
}

/** Throws if the texts are no PEM, or do not belong together. */
function contextOf ({ ca, cert, key }: Texts): SecureContext {
  if (ca !== undefined) new X509Certificate(ca).toString()
  return createSecureContext({ ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) })
}
