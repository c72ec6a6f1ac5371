import { median, shuffled, spread } from './statistics.ts'

/** One way to do the same thing as others. */
export interface Variant {
  readonly name: string
  /** Does it once, the so many-th time: no number comes twice. */
  readonly run: (count: number) => Promise<unknown>
  /** Of those that are compared; default the whole number. A slow one needs no more to be told apart. */
  readonly requests?: number
  /** Whether it is the base once more: how much it differs from the base is what chance does. */
  readonly isControl?: boolean
}

export interface CompareOptions {
  readonly rounds: number
  /** Of each variant in each round. */
  readonly requests: number
  readonly concurrency: number
  readonly warmUp: number
}

export interface Figures {
  readonly name: string
  readonly isControl: boolean
  /** Microseconds of this process's processor time for one request, median over the rounds. */
  readonly cpu: number
  /** Processor time in relation to the first variant's in the same round: median, and the middle half of the rounds. */
  readonly ratio: number
  readonly spread: readonly [number, number]
  /** Requests a second, median over the rounds. */
  readonly throughput: number
}

interface Sample {
  readonly cpu: number
  readonly throughput: number
}

/** Requests before each sample that are not counted: connections that were closed meanwhile are made anew. */
const settling = 100

/**
 * Variants side by side: every round runs each of them once, in an order of its own, and is compared with itself, so
 * that whatever else the machine does falls on all of them. The first one is the base.
 */
export async function compare (variants: readonly Variant[], options: CompareOptions): Promise<Figures[]> {
  const contestants = variants.map(variant => new Contestant(variant, options.concurrency))
  for (const contestant of contestants) await contestant.run(options.warmUp)
  for (let round = 0; round < options.rounds; round++) {
    for (const contestant of shuffled(contestants, Math.random)) await contestant.measure(options.requests)
  }
  const [base] = contestants as [Contestant, ...Contestant[]]
  return contestants.map(({ variant: { name, isControl = false }, samples }) => {
    const ratios = samples.map(({ cpu }, round) => cpu / (base.samples[round] as Sample).cpu)
    return {
      name,
      isControl,
      cpu: median(samples.map(({ cpu }) => cpu)),
      ratio: median(ratios),
      spread: spread(ratios),
      throughput: median(samples.map(({ throughput }) => throughput))
    }
  })
}

class Contestant {
  readonly variant: Variant
  readonly samples: Sample[] = []
  readonly #concurrency: number
  #count = 0

  constructor (variant: Variant, concurrency: number) {
    this.variant = variant
    this.#concurrency = concurrency
  }

  async measure (most: number): Promise<void> {
    const requests = this.variant.requests ?? most
    await this.run(settling)
    const cpuBefore = process.cpuUsage()
    const before = performance.now()
    await this.run(requests)
    const { user, system } = process.cpuUsage(cpuBefore)
    this.samples.push({ cpu: (user + system) / requests, throughput: requests * 1000 / (performance.now() - before) })
  }

  async run (requests: number): Promise<void> {
    const end = this.#count + requests
    const worker = async (): Promise<void> => {
      while (this.#count < end) await this.variant.run(this.#count++)
    }
    await Promise.all(Array.from({ length: this.#concurrency }, worker))
  }
}
