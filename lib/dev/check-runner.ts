import type { Clock, Random } from '../clock.ts'
import type { CheckStatus } from '../consul/wire.ts'
import type { Runner } from './checks.ts'
import { probeHttp } from './probe-http.ts'
import { probeTcp } from './probe-tcp.ts'
import type { CheckDefinition, Probe } from './records.ts'
import { Thresholds } from './thresholds.ts'

/** What a run of a check has found. */
export interface Finding {
  readonly status: CheckStatus
  readonly output: string
}

interface RunnerParts {
  readonly clock: Clock
  readonly random: Random
  readonly report: (checkId: string, finding: Finding) => void
}

/** Runs the checks: probes at their interval, the first somewhere in it, and TTLs until they expire. */
export class CheckRunner implements Runner {
  readonly #parts: RunnerParts
  readonly #running = new Map<string, () => void>()

  constructor (parts: RunnerParts) {
    this.#parts = parts
  }

  start (definition: CheckDefinition, told = ''): void {
    const { id, probe } = definition
    this.stop(id)
    if (probe?.type === 'ttl') this.#running.set(id, this.#expire(id, probe.ttl, told))
    else if (probe !== undefined) this.#running.set(id, this.#repeat(definition, probe))
  }

  stop (checkId: string): void {
    this.#running.get(checkId)?.()
    this.#running.delete(checkId)
  }

  close (): void {
    for (const id of [...this.#running.keys()]) this.stop(id)
  }

  #expire (id: string, ttl: number, told: string): () => void {
    const { clock, report } = this.#parts
    const output = told === '' ? 'TTL expired' : `TTL expired (last output before timeout follows): ${told}`
    return clock.after(ttl, () => report(id, { status: 'critical', output }))
  }

  #repeat (definition: CheckDefinition, probe: Exclude<Probe, { type: 'ttl' }>): () => void {
    const { clock, random, report } = this.#parts
    const thresholds = new Thresholds(definition)
    const ended = new AbortController()
    const run = async (): Promise<void> => {
      const finding = await findingOf(probe, ended.signal, clock)
      if (ended.signal.aborted) return
      if (thresholds.reached(finding.status)) report(definition.id, finding)
      cancel = clock.after(probe.interval, run)
    }
    let cancel = clock.after(random() * probe.interval, run)
    return () => {
      ended.abort()
      cancel()
    }
  }
}

async function findingOf (
  probe: Exclude<Probe, { type: 'ttl' }>, ended: AbortSignal, clock: Clock
): Promise<Finding> {
  const late = new AbortController()
  const cancel = clock.after(probe.timeout, () => late.abort())
  const signal = AbortSignal.any([ended, late.signal])
  try {
    return probe.type === 'http' ? await probeHttp(probe, signal) : await probeTcp(probe.target, signal)
  } catch (error) {
    const why = signal.aborted ? `no answer within ${probe.timeout} ms` : (error as Error).message
    return { status: 'critical', output: `${probe.type.toUpperCase()} ${probe.target}: ${why}` }
  } finally {
    cancel()
  }
}
