import { subscribe } from 'node:diagnostics_channel'
import type { DiagnosticsChannel } from 'undici'

/** What a process has sent to one service. */
export interface Count {
  /** Calls that have ended. */
  calls: number
  /** Requests given to an instance, the first time or again; counted by undici. */
  attempts: number
  /** Of these: again, as an instance was gone or did not answer. */
  retries: number
  /** Calls that failed, or got anything but a 2xx. */
  failed: number
}

/** By the name of the service. */
export type Counts = Record<string, Count>

/** What a process says of its calls. */
export interface Told {
  counts: Counts
  /** It was asked. */
  isAnswer: boolean
}

interface Ended {
  service: string
  status: number | undefined
  error: Error | undefined
}

const service = /^http:\/\/([^.:]+)$/

/** Counts the calls of this process from here on, as the package's own channels and undici's tell of them. */
export function countCalls (): Counts {
  const counts: Counts = {}
  const of = (name: string): Count => (counts[name] ??= nothing())
  subscribe('fastify-consul:end', message => {
    const { service, status = 0, error } = message as Ended
    of(service).calls++
    if (error !== undefined || status < 200 || status > 299) of(service).failed++
  })
  subscribe('fastify-consul:retry', message => { of((message as Ended).service).retries++ })
  subscribe('undici:request:create', message => {
    const { request: { origin } } = message as DiagnosticsChannel.RequestCreateMessage
    const [, name] = service.exec(String(origin)) ?? [] // Calls to Consul are none: their origin is an address.
    if (name !== undefined) of(name).attempts++
  })
  return counts
}

/** What all processes have counted, those that have ended included. */
export class Ledger {
  readonly #bySender = new Map<string, Counts>()

  /** A sender counts from its start: what it says last stands for all that it has said. */
  enter (sender: string, counts: Counts): void {
    this.#bySender.set(sender, counts)
  }

  /** Of the calls to one service. */
  of (service: string): Count {
    return sum([...this.#bySender.values()].map(counts => counts[service] ?? nothing()))
  }

  get total (): Count {
    return sum([...this.#bySender.values()].flatMap(counts => Object.values(counts)))
  }
}

function nothing (): Count {
  return { calls: 0, attempts: 0, retries: 0, failed: 0 }
}

function sum (counts: readonly Count[]): Count {
  return counts.reduce((total, { calls, attempts, retries, failed }) => ({
    calls: total.calls + calls,
    attempts: total.attempts + attempts,
    retries: total.retries + retries,
    failed: total.failed + failed
  }), nothing())
}
