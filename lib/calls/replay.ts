/** Bodies beyond this are not sent a second time. Source: Linkerd's limit. Bytes. */
const maxSize = 64 * 1024

/** Whether a body, sent already or in part, can be sent once more. Streams never: they are used up. */
export function isReplayable (body: unknown): boolean {
  if (body == null) return true
  if (body instanceof ReplayableBody) return body.isWhole
  if (typeof body === 'string') return body.length <= maxSize && Buffer.byteLength(body) <= maxSize
  if (ArrayBuffer.isView(body) || body instanceof ArrayBuffer) return body.byteLength <= maxSize
  if (isForm(body)) return sizeOf(body) <= maxSize
  return body instanceof Blob && body.size <= maxSize
}

type Form = Iterable<[name: string, value: string | Blob]>

function isForm (body: unknown): body is Form {
  return typeof body === 'object' && body !== null && Reflect.get(body, Symbol.toStringTag) === 'FormData'
}

/** What undici puts around a field, and beside that around a file. */
const frame = `--${'-'.repeat(32)}\r\nContent-Disposition: form-data; name=""\r\n\r\n\r\n`
const fileFrame = '; filename=""Content-Type: \r\n'
const end = `--${'-'.repeat(32)}--\r\n`

/** Bytes of a form as it is sent, but for characters that are escaped. */
function sizeOf (form: Form): number {
  let size = end.length
  for (const [name, value] of form) {
    size += frame.length + Buffer.byteLength(name)
    if (typeof value === 'string') size += Buffer.byteLength(value)
    else size += fileFrame.length + Buffer.byteLength((value as File).name + value.type) + value.size
  }
  return size
}

/**
 * A body that comes in parts, of which the first 64 KiB are kept. Whoever reads it gets those, and then what is still
 * to come; the reader before gets an error.
 */
export class ReplayableBody implements AsyncIterable<unknown> {
  readonly #body: AsyncIterable<unknown>
  #source: AsyncIterator<unknown> | undefined
  readonly #kept: unknown[] = []
  #size = 0
  /** What is being read, for a reader that takes over meanwhile. */
  #reading: Promise<IteratorResult<unknown>> | undefined
  #over = false
  #failed = false
  #reader = 0

  constructor (body: AsyncIterable<unknown>) {
    this.#body = body
  }

  /** Whether the next reader would get all of it. */
  get isWhole (): boolean { return this.#size <= maxSize && !this.#failed }

  /** Whether its reader waits for a part that has not come. */
  get isPending (): boolean { return this.#reading !== undefined }

  async * [Symbol.asyncIterator] (): AsyncGenerator<unknown> {
    const reader = ++this.#reader
    for (let position = 0; ; position++) {
      const part = position < this.#kept.length ? this.#kept[position] : await this.#next()
      // To end here would make a request of it that looks complete.
      if (reader !== this.#reader) throw new Error('the body is being sent to another instance')
      if (part === undefined) return
      yield part
    }
  }

  /** Nobody will read it any more. */
  close (): void {
    if (this.#source === undefined || this.#over) return
    this.#over = true
    this.#source.return?.().catch(() => {})
  }

  /** `undefined` at the end. */
  async #next (): Promise<unknown> {
    this.#source ??= this.#body[Symbol.asyncIterator]()
    this.#reading ??= this.#read(this.#source)
    const { done, value } = await this.#reading
    return done === true ? undefined : value
  }

  async #read (source: AsyncIterator<unknown>): Promise<IteratorResult<unknown>> {
    try {
      const result = await source.next()
      if (result.done === true) this.#over = true
      else this.#keep(result.value)
      return result
    } catch (error) {
      this.#over = this.#failed = true
      throw error
    } finally {
      this.#reading = undefined
    }
  }

  /** The part that goes over the limit is kept too: a reader that takes over just then still needs it. */
  #keep (part: unknown): void {
    if (this.#size <= maxSize) this.#kept.push(part)
    this.#size += typeof part === 'string' ? Buffer.byteLength(part) : (part as { byteLength?: number }).byteLength ?? 0
  }
}
