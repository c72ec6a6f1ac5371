/** What a request is answered with in the place of a result. */
export class Refusal extends Error {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor (status: number, text: string, headers: Readonly<Record<string, string>> = {}) {
    super(text)
    this.status = status
    this.headers = headers
  }
}

export const badRequest = (text: string): Refusal => new Refusal(400, text)

/** Of all that Consul can and this agent cannot. */
export const notSupported = (what: string): Refusal => new Refusal(501,
  `${what}: not in the development agent of fastify-consul, which is no Consul. A real one can do it.`)

export const unknownService = (id: string): Refusal => new Refusal(404,
  `Unknown service ID "${id}". Ensure that the service ID is passed, not the service name.`)

export const unknownCheck = (id: string): Refusal => new Refusal(404,
  `Unknown check ID "${id}". Ensure that the check ID is passed, not the check name.`)
