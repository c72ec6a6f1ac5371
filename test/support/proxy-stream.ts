import type { Socket } from 'node:net'

interface Piece {
  /** When it is due, in milliseconds of `performance.now()`. */
  due: number
  /** Absent: the end of the stream. */
  chunk?: Buffer
}

/** One direction of a proxied connection: what `from` sends reaches `to` late, in part or not at all. */
export class Stream {
  /** Milliseconds. */
  latency = 0
  /** Bytes that may still pass; then the connection is reset. */
  limit = Infinity
  #to: Socket
  #reset: () => void
  #waiting: Piece[] = []
  #held = false
  #timer: NodeJS.Timeout | undefined

  constructor (from: Socket, to: Socket, reset: () => void) {
    this.#to = to
    this.#reset = reset
    from.on('data', chunk => this.#add({ due: performance.now() + this.latency, chunk }))
    from.on('end', () => this.#add({ due: performance.now() + this.latency }))
    from.on('close', () => clearTimeout(this.#timer))
  }

  hold (on: boolean): void {
    this.#held = on
    this.#pass()
  }

  #add (piece: Piece): void {
    this.#waiting.push(piece)
    this.#pass()
  }

  #pass (): void {
    clearTimeout(this.#timer)
    while (!this.#held && this.#waiting[0] !== undefined) {
      const wait = this.#waiting[0].due - performance.now()
      if (wait > 0) {
        this.#timer = setTimeout(() => this.#pass(), wait)
        return
      }
      this.#write(this.#waiting.shift() as Piece)
    }
  }

  #write ({ chunk }: Piece): void {
    if (this.#to.destroyed) return
    if (chunk === undefined) {
      this.#to.end()
    } else if (chunk.length <= this.limit) {
      this.limit -= chunk.length
      this.#to.write(chunk)
    } else {
      this.#to.write(chunk.subarray(0, this.limit))
      this.limit = 0
      this.#held = true
      // A reset in the same moment as data is an ordinary end to libuv: let the other side read first.
      setTimeout(() => setImmediate(this.#reset), 20).unref()
    }
  }
}
