/** What is written to: `process.stdout`. */
export interface Output {
  write (text: string): unknown
  readonly isTTY?: boolean | undefined
}

/** Milliseconds between two progress lines. */
const pace = 50

/** Lines that stay, and on a terminal below them one that shows how far it is. */
export class Screen {
  readonly #output: Output
  #shownAt = -Infinity

  constructor (output: Output) {
    this.#output = output
  }

  say (line = ''): void {
    this.#clear()
    this.#output.write(`${line}\n`)
  }

  /** Nothing where the output is no terminal. */
  progress (line: string): void {
    const now = performance.now()
    if (this.#output.isTTY !== true || now - this.#shownAt < pace) return
    this.#clear()
    this.#output.write(`… ${line}`)
    this.#shownAt = now
  }

  #clear (): void {
    if (this.#output.isTTY === true) this.#output.write('\r\u001b[K')
    this.#shownAt = -Infinity
  }
}

/** `1,234`, to the right of a column. */
export function number (value: number, width = 0): string {
  return value.toLocaleString('en').padStart(width)
}

/** Rows in columns: the first to the left, the others to the right. */
export function table (rows: ReadonlyArray<readonly string[]>): string[] {
  const widths = rows.reduce<number[]>(
    (widest, row) => row.map((cell, column) => Math.max(cell.length, widest[column] ?? 0)), [])
  const cell = (text: string, column: number): string => {
    const width = widths[column] ?? 0
    return column === 0 ? text.padEnd(width) : text.padStart(width + 3)
  }
  return rows.map(row => `  ${row.map(cell).join('')}`)
}
