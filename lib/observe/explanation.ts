import { inspect } from 'node:util'
import type { Compared } from '../discovery/compared-service.ts'
import type { Finding } from '../discovery/comparison.ts'
import { isNone } from '../discovery/difference.ts'

interface Findings extends Finding {
  readonly service: string
  readonly source: 'consul' | 'fallback' | 'nowhere'
  readonly watch: 'watched' | 'polled' | 'idle' | 'unknown' | 'none'
  readonly age: number | undefined
  readonly staleFor: number | undefined
  readonly tooOld: boolean
  readonly partial: boolean
  readonly error: string | undefined
  readonly waiting: number
  readonly instances: readonly ExplainedInstance[]
}

export interface ExplainedInstance {
  readonly id: string
  readonly node: string
  /** `host:port` as callers use it. */
  readonly address: string
  /** Whether it gets calls while others can serve them too. */
  readonly callable: boolean
  /** In words: the failing check and its output, maintenance, a tag that is missing, why it is kept. */
  readonly reason: string
  /** For how many milliseconds it has been kept although Consul lists it no longer; `undefined` if Consul lists it. */
  readonly keptFor: number | undefined
}

/** A check's output can be a whole page. */
const longestReason = 160

/** How it is kept up to date, as far as there is anything to say. */
const watchWords: Readonly<Record<Findings['watch'], readonly string[]>> = {
  watched: ['watched'], polled: ['polled'], idle: ['idle'], unknown: ['not listed by Consul'], none: []
}

/** Why a service's instances are in or out. Printed, or as a string, it is a short table. */
export class Explanation {
  readonly service: string
  /** Where the instances come from. */
  readonly source: Findings['source']
  /**
   * `watched`: a blocking query is under way. `polled`: asked for in turn. `idle`: no longer asked for. `unknown`:
   * Consul lists no such service. `none`: Consul was not asked.
   */
  readonly watch: Findings['watch']
  /** Milliseconds since Consul's last answer; `undefined` if there was none. */
  readonly age: number | undefined
  /** For how many milliseconds changes may have been missed; 0 while a watch stands. */
  readonly staleFor: number | undefined
  /** Whether the list is older than `discovery.maxStale`: then it is not given out. */
  readonly tooOld: boolean
  /** Whether the token seems to see only a part of the list. */
  readonly partial: boolean
  /** Why Consul does not answer now; `undefined` if it does. */
  readonly error: string | undefined
  /** Calls that wait for a connection, as all that there may be are in use. */
  readonly waiting: number
  /**
   * In mode `register`: what Consul would have answered in place of the fallback. As the last call
   * found it. `undefined`: not compared yet, or Consul could not be asked for more than a minute.
   */
  readonly compared: Compared | undefined
  /**
   * In mode `register`: why that cannot be compared now, and for how many milliseconds it could not; `undefined` if it
   * can, or if the service was not called.
   */
  readonly notCompared: Finding['notCompared']
  readonly instances: readonly ExplainedInstance[]

  constructor (findings: Findings) {
    this.service = findings.service
    this.source = findings.source
    this.watch = findings.watch
    this.age = findings.age
    this.staleFor = findings.staleFor
    this.tooOld = findings.tooOld
    this.partial = findings.partial
    this.error = findings.error
    this.waiting = findings.waiting
    this.compared = findings.compared
    this.notCompared = findings.notCompared
    this.instances = findings.instances
  }

  /** One line for the service, one for what is wrong if anything is, one for each instance. */
  toString (): string {
    const findings = [...this.#troubles(), ...this.#hindrance(), ...this.#comparison()].map(line => `  ${line}`)
    return [this.#headline(), ...findings, ...rows(this.instances)].join('\n')
  }

  [inspect.custom] (): string {
    return this.toString()
  }

  #headline (): string {
    const { service, instances, source, watch, age } = this
    const callable = instances.filter(({ callable }) => callable).length
    const known = source === 'nowhere'
      ? ['nothing is known of it']
      : [`${callable} of ${instances.length} callable`, `from ${source}`]
    const answered = age === undefined ? [] : [`Consul answered ${secondsOf(age)} ago`]
    return `${service}: ${[...known, ...watchWords[watch], ...answered].join(', ')}`
  }

  #troubles (): string[] {
    const { staleFor = 0, watch, tooOld, partial, error, waiting } = this
    return [
      ...(watch === 'watched' && staleFor > 0 ? [`changes may have been missed for ${secondsOf(staleFor)}`] : []),
      ...(tooOld ? ['not given out: the list is older than discovery.maxStale'] : []),
      ...(partial ? ['the token seems to see only a part of the list'] : []),
      ...(error === undefined ? [] : [`error: ${oneLine(error)}`]),
      ...(waiting === 0 ? [] : [`calls that wait for a connection: ${waiting}`])
    ]
  }

  #hindrance (): string[] {
    if (this.notCompared === undefined) return []
    const { staleFor, error } = this.notCompared
    return [`not compared with fallback for ${secondsOf(staleFor)}: ${oneLine(error)}`]
  }

  #comparison (): string[] {
    if (this.compared === undefined) return []
    const { onlyInFallback, onlyInConsul, mismatches } = this.compared
    const found = `${mismatches} ${mismatches === 1 ? 'difference' : 'differences'} so far`
    if (isNone(this.compared)) return [`Consul lists the instances of fallback; ${found}`]
    return [
      `Consul lists other instances than fallback; ${found}`,
      ...onlyInFallback.map(url => `only in fallback: ${url}`),
      ...onlyInConsul.map(url => `only in Consul: ${url}`)
    ]
  }
}

function rows (instances: readonly ExplainedInstance[]): string[] {
  const cells = instances.map(({ callable, id, node, address, reason }) =>
    [callable ? 'in' : 'out', id, node, address, oneLine(reason)])
  const widths = [0, 1, 2, 3].map(column => Math.max(...cells.map(row => row[column]!.length)))
  return cells.map(row => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`)
}

function oneLine (text: string): string {
  const line = text.replace(/\s+/g, ' ')
  return line.length > longestReason ? `${line.slice(0, longestReason)}…` : line
}

function secondsOf (ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
