/** What is written to: `process.stdout`. */
export interface Output {
  write (text: string): unknown
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
  readonly rows?: number | undefined
}

export interface Picture {
  lines: readonly string[]
  /** The same in one line. */
  summary: string
}

/** Milliseconds between two summaries where nothing can be drawn. */
const pace = 5000

/** Lines that stay, and on a terminal below them a picture that is drawn in place; elsewhere its summary at times. */
export class Board {
  readonly #output: Output
  readonly #now: () => number
  #lines: readonly string[] = []
  #summarizedAt: number

  /** @param now milliseconds */
  constructor (output: Output, now = () => performance.now()) {
    this.#output = output
    this.#now = now
    this.#summarizedAt = now()
  }

  say (line = ''): void {
    this.#paint(this.#lines, `${line}\n`)
  }

  show ({ lines, summary }: Picture): void {
    if (this.#hasRoomFor(lines)) return this.#paint(lines)
    const now = this.#now()
    if (now - this.#summarizedAt < pace) return
    this.#summarizedAt = now
    this.#output.write(`${summary}\n`)
  }

  /** The picture goes. */
  clear (): void {
    this.#paint([])
  }

  #hasRoomFor (lines: readonly string[]): boolean {
    const { isTTY = false, rows = 24 } = this.#output
    return isTTY && rows > lines.length
  }

  /** In one piece, or it would flicker: up to where the picture begins, nothing below, what stays, the picture. */
  #paint (lines: readonly string[], above = ''): void {
    const erased = this.#lines.length === 0 ? '' : `\u001b[${this.#lines.length}A\u001b[J`
    const { columns = 80 } = this.#output
    const picture = lines.map(line => `${line.slice(0, columns - 1)}\n`).join('')
    this.#output.write(`${erased}${above}${picture}`)
    this.#lines = lines
  }
}
