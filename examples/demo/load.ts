import { Agent } from 'undici'
import type { Teardown } from '../../test/support/teardown.ts'

/** How a number of requests went. */
export interface Tally {
  requests: number
  /** Not answered with 200 and the body that is right. */
  failed: number
  /** What the first of these was. */
  failure: string | undefined
  /** By the instance that did the work. */
  by: Map<string, number>
}

interface Answer {
  instances: number
  result: { status: string, by: string }
}

/** Requests at a time. */
const callers = 8
/** Requests after which a load is under way. */
const underWay = 200
/** Requests that a load has at least, and at most, while it waits for something else to be over. */
const fewest = 500
const most = 5000

/** Requests to the consumer, a few at a time, never without end. */
export class Load {
  readonly #url: string
  readonly #instances: ReadonlySet<string>
  readonly #onProgress: (tally: Tally) => void
  readonly #agent = new Agent({ connections: callers, headersTimeout: 10_000, bodyTimeout: 10_000 })

  /** `instances`: those that an answer may come from. */
  constructor (
    t: Teardown, url: string, instances: readonly string[], onProgress: (tally: Tally) => void
  ) {
    this.#url = url
    this.#instances = new Set(instances)
    this.#onProgress = onProgress
    t.teardown(() => this.#agent.destroy())
  }

  /** One request that is not counted: the number of instances that the consumer knows. */
  async instances (): Promise<number> {
    return (await this.#call()).instances
  }

  async send (count: number): Promise<Tally> {
    return await this.#send(tally => tally.requests < count, () => {})
  }

  /** Sends until `happening` is over. It begins in the middle of the load. */
  async during (happening: () => Promise<void>): Promise<Tally> {
    let isOver = false
    let happened: Promise<void> | undefined
    const begin = (): void => {
      happened = happening().finally(() => { isOver = true })
      happened.catch(() => {}) // Told below.
    }
    const tally = await this.#send(({ requests }) => requests < (isOver ? fewest : most), begin)
    await happened
    return tally
  }

  async #send (goesOn: (tally: Tally) => boolean, onUnderWay: () => void): Promise<Tally> {
    const tally: Tally = { requests: 0, failed: 0, failure: undefined, by: new Map() }
    const caller = async (): Promise<void> => {
      while (goesOn(tally)) {
        tally.requests++
        if (tally.requests === underWay) onUnderWay()
        if (tally.requests % 20 === 0) this.#onProgress(tally)
        await this.#count(tally)
      }
    }
    await Promise.all(Array.from({ length: callers }, caller))
    return tally
  }

  async #count (tally: Tally): Promise<void> {
    try {
      const { result: { by } } = await this.#call()
      tally.by.set(by, (tally.by.get(by) ?? 0) + 1)
    } catch (error) {
      tally.failed++
      tally.failure ??= String(error)
    }
  }

  async #call (): Promise<Answer> {
    const { statusCode, body } = await this.#agent.request({ origin: this.#url, path: '/call-l02', method: 'GET' })
    const text = await body.text()
    if (statusCode !== 200) throw new Error(`${statusCode} ${text}`)
    const answer = JSON.parse(text) as Answer
    const { status, by } = answer.result
    if (status !== 'executed' || !this.#instances.has(by)) throw new Error(`200, but ${text}`)
    return answer
  }
}
