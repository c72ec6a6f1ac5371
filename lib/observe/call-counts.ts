import type { Outcome } from '../balancing/outcome.ts'
import type { AttemptMessage, EndMessage } from '../calls/events.ts'
import type { Labels } from './metrics-table.ts'

/** How a call may end. */
export const callOutcomes = ['answered', 'no_instance', 'unavailable', 'busy', 'timeout', 'aborted', 'failed'] as const
type CallOutcome = typeof callOutcomes[number]

const classes = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'] as const
export const attemptOutcomes = ['success', 'failure', 'neutral'] as const satisfies readonly Outcome[]

/** The errors of calls that have an outcome of their own. */
const outcomesByCode: ReadonlyMap<unknown, CallOutcome> = new Map([
  ['FST_CONSUL_NO_INSTANCE', 'no_instance'],
  ['FST_CONSUL_UNAVAILABLE', 'unavailable'],
  ['FST_CONSUL_BUSY', 'busy'],
  ['FST_CONSUL_ATTEMPT_TIMEOUT', 'timeout'],
  ['FST_CONSUL_DEADLINE', 'timeout']
])

/** What is told once of what was counted. */
interface Receiver {
  calls (labels: Labels<'consul_calls_total'>, count: number): void
  attempts (labels: Labels<'consul_call_attempts_total'>, count: number): void
}

/**
 * Calls and attempts since they were last told. Every call comes here: there is a number for each service, outcome and
 * class of status, and nothing is made once these exist.
 */
export class CallCounts {
  readonly #nameOf: (service: string) => string
  #calls = new Map<string, Float64Array>()
  #attempts = new Map<string, Float64Array>()

  /** @param nameOf how a service is called to whose instances a call never came */
  constructor (nameOf: (service: string) => string) {
    this.#nameOf = nameOf
  }

  end ({ service, instance, status, error, aborted }: EndMessage): void {
    const name = instance === undefined ? this.#nameOf(service) : instance.name
    const outcome = error === undefined ? 0 : callOutcomes.indexOf(outcomeOf(error, aborted))
    const place = outcome * classes.length + (status === undefined ? 0 : Math.min(Math.trunc(status / 100), 5))
    countsOf(this.#calls, name, callOutcomes.length * classes.length)[place]!++
  }

  /** One that breaks off later has been counted by then. */
  attempt ({ service, outcome, broken }: AttemptMessage): void {
    if (broken) return
    countsOf(this.#attempts, service, attemptOutcomes.length)[attemptOutcomes.indexOf(outcome)]!++
  }

  /** Tells what was counted, and begins anew. */
  flush (receiver: Receiver): void {
    const [calls, attempts] = [this.#calls, this.#attempts]
    this.#calls = new Map()
    this.#attempts = new Map()
    for (const [service, place, count] of entriesOf(calls)) {
      const outcome = callOutcomes[Math.trunc(place / classes.length)]!
      receiver.calls({ service, outcome, status: classes[place % classes.length]! }, count)
    }
    for (const [service, place, count] of entriesOf(attempts)) {
      receiver.attempts({ service, outcome: attemptOutcomes[place]! }, count)
    }
  }
}

function outcomeOf (error: Error, aborted: boolean): CallOutcome {
  const known = 'code' in error ? outcomesByCode.get(error.code) : undefined
  return known ?? (aborted ? 'aborted' : 'failed')
}

function countsOf (counts: Map<string, Float64Array>, service: string, size: number): Float64Array {
  const known = counts.get(service)
  if (known !== undefined) return known
  const made = new Float64Array(size)
  counts.set(service, made)
  return made
}

function * entriesOf (all: ReadonlyMap<string, Float64Array>): Iterable<[string, number, number]> {
  for (const [service, counts] of all) {
    for (const [place, count] of counts.entries()) if (count > 0) yield [service, place, count]
  }
}
