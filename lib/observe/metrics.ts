import type { CallEvents, EjectionMessage, EventSink, RetryMessage } from '../calls/events.ts'
import type { Clock } from '../clock.ts'
import type { RequestMeter } from '../consul/client.ts'
import { isNone, type Difference } from '../discovery/difference.ts'
import type { ServiceView } from '../discovery/view.ts'
import type { HealthStatus } from '../health/check.ts'
import type { WriteReason } from '../lifecycle/registration-parts.ts'
import type { MetricsRegister } from '../options/types.ts'
import { apiOutcomeOf, endpointOf } from './api-labels.ts'
import { CallCounts } from './call-counts.ts'
import { channels } from './channels.ts'
import { expositionIn, type Exposition, type MetricsSource, type Sample } from './exposition.ts'
import { gauges, knownName, type Owners } from './gauges.ts'
import type { GaugeName } from './metrics-table.ts'

interface MetricsOptions {
  readonly register: MetricsRegister
  /** The own service's name; `undefined`: nothing is registered. */
  readonly service: string | undefined
  readonly clock: Clock
}

/**
 * The metrics of one registry. Calls are counted here, in numbers of its own; what is rare goes to prom-client at once;
 * what has a state is asked when somebody collects.
 */
export class Metrics implements MetricsSource {
  /** What calls say of themselves: counted, and told to the channels. */
  readonly events: CallEvents
  readonly #options: MetricsOptions
  readonly #exposition: Exposition
  readonly #counts = new CallCounts(service => this.#nameOf(service))
  #owners: Owners | undefined

  /** @throws FST_CONSUL_INVALID_OPTION without prom-client, or if the register has metrics of these names */
  constructor (options: MetricsOptions) {
    this.#options = options
    this.#exposition = expositionIn(options.register)
    this.events = {
      ...channels,
      attempt: new Counted(channels.attempt, message => this.#counts.attempt(message)),
      end: new Counted(channels.end, message => this.#counts.end(message)),
      retry: new Counted(channels.retry, message => this.#countRetry(message)),
      ejection: new Counted(channels.ejection, message => this.#countEjection(message))
    }
  }

  /** From now on gauges show what these say. */
  show (owners: Owners): void {
    this.#owners = owners
    this.#exposition.add(this)
  }

  /** The registry has ended: counts stand still, gauges are gone. */
  close (): void {
    this.#exposition.remove(this)
    this.#owners = undefined
  }

  flush (): void {
    this.#counts.flush({
      calls: (labels, count) => this.#exposition.count('consul_calls_total', labels, count),
      attempts: (labels, count) => this.#exposition.count('consul_call_attempts_total', labels, count)
    })
  }

  read (name: GaugeName): readonly Sample[] {
    const { service, clock } = this.#options
    return this.#owners === undefined ? [] : gauges[name](this.#owners, { service, now: clock.now() })
  }

  /** Measures a request to Consul. */
  readonly request: RequestMeter = async (request, send) => {
    const began = this.#options.clock.now()
    const tell = (error?: unknown): void => {
      const outcome = apiOutcomeOf(error)
      if (outcome === undefined) return
      const labels = { endpoint: endpointOf(request.path), outcome }
      if (request.lane === 'blocking') this.#exposition.count('consul_blocking_queries_total', labels)
      else this.#exposition.observe('consul_api_request_seconds', labels, this.#options.clock.now() - began)
    }
    try {
      const response = await send()
      tell()
      return response
    } catch (error) {
      tell(error)
      throw error
    }
  }

  /** A first call has waited so many milliseconds for a service. */
  readonly waited = ({ error, snapshot }: ServiceView, ms: number): void => {
    const found = snapshot !== undefined && snapshot.known.length > 0 ? 'found' : 'unknown'
    const outcome = error === undefined && snapshot !== undefined ? found : 'failed'
    this.#exposition.observe('consul_discovery_seconds', { outcome }, ms)
  }

  /** Consul's answer for a service is compared with its fallback for the first time, or has changed. */
  readonly compared = (service: string, difference: Difference): void => {
    this.#exposition.count('consul_fallback_mismatches_total', { service }, isNone(difference) ? 0 : 1)
  }

  /** A health check has run for so many milliseconds. */
  readonly checked = (check: string, status: HealthStatus, ms: number): void => {
    this.#exposition.observe('consul_health_check_seconds', { check, status }, ms)
  }

  /** The agent has taken a registration. */
  readonly registered = (reason: WriteReason): void => {
    this.#exposition.count('consul_registrations_total', { service: this.#options.service ?? '', reason })
  }

  #countRetry ({ service, sent }: RetryMessage): void {
    this.#exposition.count('consul_call_retries_total', { service, sent: String(sent) })
  }

  #countEjection ({ service, ejection: { reason } }: EjectionMessage): void {
    this.#exposition.count('consul_ejections_total', { service, reason: reason.replaceAll(' ', '_') })
  }

  #nameOf (service: string): string {
    return (this.#owners && knownName(service, this.#owners)) ?? 'other'
  }
}

/** A channel whose messages are counted, whether anyone else listens or not. */
class Counted<T> implements EventSink<T> {
  readonly hasSubscribers = true
  readonly #channel: EventSink<T>
  readonly #count: (message: T) => void

  constructor (channel: EventSink<T>, count: (message: T) => void) {
    this.#channel = channel
    this.#count = count
  }

  publish (message: T): void {
    this.#count(message)
    if (this.#channel.hasSubscribers) this.#channel.publish(message)
  }
}
