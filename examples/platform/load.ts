import { setTimeout } from 'node:timers/promises'
import type { ServiceRegistry } from 'fastify-consul'

export interface Target {
  /** Of the layer at the top. */
  url: string
  /** How many layers have worked for an answer that is right. */
  worked: number
}

/** Requests at a time. Half of the callers send POSTs: one that was sent and is lost is not sent again. */
const callers = 4
/** Requests after which a load is under way. */
const underWay = 100
/** Requests at the most. */
const most = 50_000
/** Milliseconds that a caller waits after a failure. */
const breath = 100

/** Requests to the platform, a few at a time, as they would come through a gateway that asks Consul. */
export class Load {
  requests = 0
  /** Not answered with 200 and the body that is right. */
  failed = 0
  /** What the first of these was. */
  failure: string | undefined
  readonly #gateway: ServiceRegistry
  readonly #target: Target

  constructor (gateway: ServiceRegistry, target: Target) {
    this.#gateway = gateway
    this.#target = target
  }

  /** Sends until `happening` is over. It begins in the middle of the load, and ends there too. */
  async during (happening: () => Promise<void>): Promise<void> {
    let end = most
    const caller = async (method: string): Promise<void> => {
      while (this.requests < end) await this.#count(method)
    }
    const sending = Promise.all(Array.from({ length: callers }, (_, index) => caller(index % 2 === 0 ? 'GET' : 'POST')))
    while (this.requests < underWay) await setTimeout(10)
    try {
      await happening()
    } finally {
      end = Math.min(this.requests + underWay, most)
      await sending
    }
  }

  async #count (method: string): Promise<void> {
    this.requests++
    try {
      await this.#call(method)
    } catch (error) {
      this.failed++
      this.failure ??= `${method} ${error instanceof Error ? error.message : String(error)}`
      await setTimeout(breath)
    }
  }

  async #call (method: string): Promise<void> {
    const response = await this.#gateway.fetch(this.#target.url, { method })
    const text = await response.text()
    const isRight = response.status === 200 && JSON.parse(text).worked === this.#target.worked
    if (!isRight) throw new Error(`answered ${response.status} ${text}`)
  }
}
