import { median, shuffled, spread } from './statistics.ts'

/** One way to do the same thing as others. */
export interface Variant {
  readonly name: string
  /** Does it once, the so many-th time. */
  readonly run: (count: number) => Promise<unknown>
  /** Of those that are compared; default the whole number. A slow one needs no more to be told apart. */
  readonly requests?: number
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

/**
 * Variants side by side: every round runs each of them once, in an order of its own, and is compared with itself, so
 * that whatever else the machine does falls on all of them. The first one is the base.
 */
export async function compare (variants: readonly Variant[], options: CompareOptions): Promise<Figures[]> {
  const samples = new Map<Variant, Sample[]>(variants.map(variant => [variant, []]))
  for (const variant of variants) await measure(variant, options.warmUp, options.concurrency)
  for (let round = 0; round < options.rounds; round++) {
    for (const variant of shuffled(variants, Math.random)) {
      globalThis.gc?.()
      samples.get(variant)?.push(await measure(variant, variant.requests ?? options.requests, options.concurrency))
    }
  }
  const base = samples.get(variants[0] as Variant) as Sample[]
  return variants.map(variant => {
    const own = samples.get(variant) as Sample[]
    const ratios = own.map(({ cpu }, round) => cpu / (base[round] as Sample).cpu)
    return {
      name: variant.name,
      cpu: median(own.map(({ cpu }) => cpu)),
      ratio: median(ratios),
      spread: spread(ratios),
      throughput: median(own.map(({ throughput }) => throughput))
    }
  })
}

async function measure ({ run }: Variant, requests: number, concurrency: number): Promise<Sample> {
  let count = 0
  const worker = async (): Promise<void> => {
    while (count < requests) await run(count++)
  }
  const cpuBefore = process.cpuUsage()
  const before = performance.now()
  await Promise.all(Array.from({ length: concurrency }, worker))
  const { user, system } = process.cpuUsage(cpuBefore)
  return { cpu: (user + system) / requests, throughput: requests * 1000 / (performance.now() - before) }
}
