import type { Logger } from '../../../lib/logger.ts'

/** A logger that remembers what was said at `info` and above. */
export class LogLines implements Logger {
  readonly lines: string[] = []

  trace (): void {}
  debug (): void {}

  info (details: object | string, message?: string): void { this.#add(details, message) }
  warn (details: object | string, message?: string): void { this.#add(details, message) }
  error (details: object | string, message?: string): void { this.#add(details, message) }

  /** Lines that have this in them. */
  count (text: string): number {
    return this.lines.filter(line => line.includes(text)).length
  }

  #add (details: object | string, message = ''): void {
    this.lines.push(typeof details === 'string' ? details : `${message} ${JSON.stringify(details)}`)
  }
}
