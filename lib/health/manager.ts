import { setMaxListeners } from 'node:events'
import { type Clock, systemClock } from '../clock.ts'
import { type Duration, parseDuration } from '../duration.ts'
import { ClosedError, DuplicateCheckError, InvalidOptionError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { shown } from '../options/error.ts'
import type { CheckLimits, HealthCheck, HealthReport, HealthStatus } from './check.ts'
import { failingOf, failuresOf, type Outcome, reportOf } from './report.ts'
import { CheckRunner } from './runner.ts'
import { timeoutOf } from './timeout.ts'

export interface HealthCheckManagerOptions {
  /** Limit of a check that sets none itself. Milliseconds or a Go duration. Default 800 ms. */
  timeout?: Duration | undefined
  /** How long a report serves further callers. Milliseconds or a Go duration. Default 1 s. */
  cacheFor?: Duration | undefined
  clock?: Clock | undefined
  /** Gets one line when the status of the whole or of a check changes. Default none. */
  logger?: Logger | undefined
}

/** Told of each run of a check, and how many milliseconds it took. One that hangs is told of once, at its limit. */
export type RunListener = (check: string, status: HealthStatus, ms: number) => void

/** The readiness checks of a service, run together. */
export class HealthCheckManager {
  readonly #limits: CheckLimits
  readonly #cacheFor: number
  readonly #logger: Logger | undefined
  readonly #onRun: RunListener | undefined
  readonly #runners = new Map<string, CheckRunner>()
  readonly #closing = new AbortController()
  #status: HealthStatus = 'healthy'
  #failing = failingOf([])
  #running: Promise<HealthReport> | undefined
  #last: { report: HealthReport, until: number } | undefined

  /**
   * @param onRun For the registry.
   * @throws FST_CONSUL_INVALID_OPTION
   */
  constructor (
    { timeout = 800, cacheFor = 1000, clock = systemClock, logger }: HealthCheckManagerOptions = {}, onRun?: RunListener
  ) {
    this.#limits = { timeout: timeoutOf(timeout, 'health.timeout'), clock }
    this.#cacheFor = cacheOf(cacheFor)
    this.#logger = logger
    this.#onRun = onRun
    setMaxListeners(0, this.#closing.signal) // Every check that runs listens.
  }

  /**
   * Takes part from the next `check()` on.
   *
   * @throws FST_CONSUL_DUPLICATE_CHECK if there is a check of that name
   * @throws FST_CONSUL_INVALID_OPTION if it is no check
   */
  add (check: HealthCheck): void {
    const runner = new CheckRunner(check)
    if (this.has(runner.name)) throw new DuplicateCheckError(runner.name)
    this.#runners.set(runner.name, runner)
    this.#last = undefined
  }

  /** How the last run ended; `undefined`: there was none. */
  get last (): HealthReport | undefined { return this.#last?.report }

  has (name: string): boolean {
    return this.#runners.has(name)
  }

  /**
   * The report of a run in progress, of one that ended less than `cacheFor` ago, or of a new one. A failing check is
   * part of the report, no rejection.
   *
   * @throws FST_CONSUL_CLOSED after `close()`
   */
  async check (): Promise<HealthReport> {
    if (this.#closing.signal.aborted) throw new ClosedError('health.check()')
    if (this.#last !== undefined && this.#limits.clock.now() < this.#last.until) return this.#last.report
    this.#running ??= this.#run().finally(() => { this.#running = undefined })
    return this.#running
  }

  /** Aborts the checks that are running; nothing is checked afterwards. */
  close (): void {
    this.#closing.abort(new ClosedError('health.check()'))
  }

  async #run (): Promise<HealthReport> {
    let outcomes: readonly Outcome[]
    do {
      outcomes = await Promise.all([...this.#runners.values()].map(runner => this.#runOne(runner)))
    } while (outcomes.length < this.#runners.size) // A check that was added meanwhile is in the report too.
    const report = reportOf(outcomes)
    this.#last = { report, until: this.#limits.clock.now() + this.#cacheFor }
    this.#logChange(report.status, outcomes)
    return report
  }

  async #runOne (runner: CheckRunner): Promise<Outcome> {
    const { clock } = this.#limits
    const { signal } = this.#closing
    const began = runner.isUnsettled ? undefined : clock.now()
    const outcome = await runner.run(this.#limits, signal)
    if (began !== undefined && !signal.aborted) this.#onRun?.(outcome.name, outcome.result.status, clock.now() - began)
    return outcome
  }

  /** A message is told nowhere else: another check that fails is a line also if the whole stays what it was. */
  #logChange (status: HealthStatus, outcomes: readonly Outcome[]): void {
    const previous = this.#status
    const failing = failingOf(outcomes)
    if (failing === this.#failing || this.#closing.signal.aborted) return
    this.#status = status
    this.#failing = failing
    if (status === 'healthy') {
      this.#logger?.info({ status, previous }, 'Health is healthy again')
    } else {
      this.#logger?.warn({ status, previous }, `Health is ${status}: ${failuresOf(outcomes)}`)
    }
  }
}

function cacheOf (value: Duration): number {
  const ms = parseDuration(value)
  if (ms === undefined) throw new InvalidOptionError('health.cacheFor', 'a duration', shown('health.cacheFor', value))
  return ms
}
