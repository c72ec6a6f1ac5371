import { setMaxListeners } from 'node:events'
import { is } from 'valibot'
import { afterReading } from '../clock.ts'
import { CheckTimeoutError, InvalidOptionError } from '../errors.ts'
import { shown } from '../options/error.ts'
import { plainText } from '../options/values.ts'
import type { CheckLimits, CheckResult, LimitedCheck } from './check.ts'
import type { Outcome } from './report.ts'
import { messageOf, resultOf, unhealthy } from './result.ts'
import { timeoutOf } from './timeout.ts'

/** Runs one check, within its limit and never twice at a time. */
export class CheckRunner {
  readonly name: string
  readonly critical: boolean
  readonly #check: LimitedCheck
  readonly #timeout: number | undefined
  #unsettled = false

  /** @throws FST_CONSUL_INVALID_OPTION if it is no check */
  constructor (check: LimitedCheck) {
    const { name, critical, timeout } = validated(check)
    this.name = name
    this.critical = critical ?? true
    this.#check = check
    this.#timeout = timeout === undefined ? undefined : timeoutOf(timeout, `timeout of the health check ${name}`)
  }

  /** Whether its last run has not settled: until then no other one begins. */
  get isUnsettled (): boolean { return this.#unsettled }

  /** Never rejects. At the limit, or when `signal` aborts, it ends as a failure, whatever the check still does. */
  async run (limits: CheckLimits, signal: AbortSignal): Promise<Outcome> {
    const result = await this.#result(limits, signal)
    return { name: this.name, critical: this.critical, result }
  }

  async #result (limits: CheckLimits, signal: AbortSignal): Promise<CheckResult> {
    if (this.#unsettled) return unhealthy('its last run has not settled')
    if (signal.aborted) return unhealthy(messageOf(signal.reason))
    return this.#start(limits, signal)
  }

  #start (limits: CheckLimits, signal: AbortSignal): Promise<CheckResult> {
    const { name } = this
    const timeout = this.#timeout ?? limits.timeout
    const controller = new AbortController()
    setMaxListeners(0, controller.signal) // Every part of a combined check that runs listens.
    return new Promise(resolve => {
      const onLimit = () => giveUp(new CheckTimeoutError(name, timeout), `did not settle within ${timeout} ms`)
      const onAbort = () => giveUp(signal.reason, messageOf(signal.reason))
      const cancel = timeout === Infinity ? undefined : afterReading(limits.clock, timeout, onLimit)
      signal.addEventListener('abort', onAbort)

      function giveUp (reason: unknown, message: string): void {
        end(unhealthy(message))
        controller.abort(reason)
      }

      function end (result: CheckResult): void {
        cancel?.()
        signal.removeEventListener('abort', onAbort)
        resolve(result)
      }

      this.#attempt(controller.signal, limits).then(end)
    })
  }

  async #attempt (signal: AbortSignal, limits: CheckLimits): Promise<CheckResult> {
    this.#unsettled = true
    try {
      return resultOf(await this.#check.run(signal, limits))
    } catch (error) {
      return unhealthy(messageOf(error))
    } finally {
      this.#unsettled = false
    }
  }
}

/** @throws FST_CONSUL_INVALID_OPTION if it is no check */
export function validated (check: LimitedCheck): LimitedCheck {
  if (typeof check !== 'object' || check === null) {
    throw new InvalidOptionError('A health check', 'an object with a name and run()', shown('check', check))
  }
  const { name, critical } = check
  if (!is(plainText, name)) {
    throw new InvalidOptionError('name of a health check',
      'a string that is not empty and has no control characters', shown('name', name))
  }
  if (typeof check.run !== 'function') {
    throw new InvalidOptionError(`run of the health check ${name}`, 'a function', shown('run', check.run))
  }
  if (critical !== undefined && typeof critical !== 'boolean') {
    throw new InvalidOptionError(`critical of the health check ${name}`, 'a boolean', shown('critical', critical))
  }
  return check
}
