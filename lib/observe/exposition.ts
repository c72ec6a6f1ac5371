import type { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { InvalidOptionError } from '../errors.ts'
import type { MetricsRegister } from '../options/types.ts'
import {
  metricsTable, type CounterName, type GaugeName, type HistogramName, type Labels, type MetricName
} from './metrics-table.ts'
import { promClient, type PromClient } from './prom-client.ts'

/** The value of a gauge under some labels. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** One registry of this package, as far as it has metrics. */
export interface MetricsSource {
  /** Counts what it has counted for itself since the last time. */
  flush (): void
  read (name: GaugeName): readonly Sample[]
}

/** Services come and go; no more names than this become labels in the life of a process. */
const maxServices = 1000
const other = 'other'

const combine = { sum: (a: number, b: number) => a + b, max: Math.max, min: Math.min }

/** A register has a metric of one name but once: whoever is given the same one shares it. */
const expositions = new WeakMap<MetricsRegister, Exposition>()

/**
 * The metrics in a register, made with the first registry, and again after it was cleared.
 *
 * @throws FST_CONSUL_INVALID_OPTION without prom-client, or if the register has other metrics of these names
 */
export function expositionIn (register: MetricsRegister): Exposition {
  const known = expositions.get(register)
  if (known !== undefined && register.getSingleMetric('consul_calls_total') !== undefined) return known
  const made = new Exposition(register, promClient())
  expositions.set(register, made)
  return made
}

/** The metrics in one register of prom-client's: those of all registries that were given it, together. */
export class Exposition {
  readonly #sources = new Set<MetricsSource>()
  readonly #services = new Set<string>()
  readonly #counters = new Map<MetricName, Counter>()
  readonly #histograms = new Map<MetricName, Histogram>()

  /** @throws FST_CONSUL_INVALID_OPTION if the register has metrics of these names */
  constructor (register: MetricsRegister, { Counter, Gauge, Histogram }: PromClient) {
    const registers = [register as unknown as Registry]
    for (const name of Object.keys(metricsTable)) refuseTwice(register, name)
    for (const [key, definition] of Object.entries(metricsTable)) {
      const name = key as MetricName
      const settings = { name, help: definition.help, labelNames: [...definition.labels], registers }
      if (definition.type === 'gauge') {
        const collect = (): void => this.#show(gauge, name as GaugeName)
        const gauge: Gauge = new Gauge({ ...settings, collect, aggregator: definition.several })
      } else if (definition.type === 'counter') {
        this.#counters.set(name, new Counter({ ...settings, collect: () => this.#flush() }))
      } else {
        this.#histograms.set(name, new Histogram({ ...settings, buckets: [...definition.buckets] }))
      }
    }
  }

  add (source: MetricsSource): void {
    this.#sources.add(source)
  }

  /** What it has counted stays, as counters never go back. Its gauges are gone. */
  remove (source: MetricsSource): void {
    source.flush()
    this.#sources.delete(source)
  }

  count<Name extends CounterName> (name: Name, labels: Labels<Name>, by = 1): void {
    const service = 'service' in labels ? { service: this.#bounded(String(labels.service)) } : undefined
    this.#counters.get(name)?.inc({ ...labels, ...service }, by)
  }

  observe<Name extends HistogramName> (name: Name, labels: Labels<Name>, ms: number): void {
    this.#histograms.get(name)?.observe(labels, ms / 1000)
  }

  #flush (): void {
    for (const source of this.#sources) source.flush()
  }

  #show (gauge: Gauge, name: GaugeName): void {
    gauge.reset()
    // One without labels is 0 then, although nobody says so.
    if (metricsTable[name].labels.length === 0) gauge.remove({})
    const samples = new Map<string, Sample>()
    for (const { labels, value } of [...this.#sources].flatMap(source => source.read(name))) {
      const key = JSON.stringify(Object.values(labels))
      const before = samples.get(key)?.value
      const all = before === undefined ? value : combine[metricsTable[name].several](before, value)
      samples.set(key, { labels, value: all })
    }
    for (const { labels, value } of samples.values()) gauge.set(labels, value)
  }

  #bounded (service: string): string {
    if (this.#services.size < maxServices) this.#services.add(service)
    return this.#services.has(service) ? service : other
  }
}

function refuseTwice (register: MetricsRegister, name: string): void {
  if (register.getSingleMetric(name) === undefined) return
  throw new InvalidOptionError('metrics.register', `without a metric named ${name}`, 'one that has it')
}
