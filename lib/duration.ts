const milliseconds: Record<string, number> = {
  ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000
}

const goDuration = /^(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h)/

/** Milliseconds as a number, or a Go duration such as `'250ms'` or `'1m30s'`. */
export type Duration = number | string

/**
 * A duration in milliseconds, or `undefined` if it is none. Days are none: Go, and so Consul, has no unit for them.
 * Source of the syntax: Go's `time.ParseDuration`.
 */
export function parseDuration (value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value : undefined
  if (typeof value !== 'string' || value === '') return undefined
  if (value === '0') return 0
  let total = 0
  for (let rest = value; rest !== '';) {
    const part = goDuration.exec(rest)?.[0]
    if (part === undefined) return undefined
    const amount = Number.parseFloat(part)
    total += amount * milliseconds[part.replace(/^[\d.]+/, '')]!
    rest = rest.slice(part.length)
  }
  return total
}

/** Milliseconds as the Go duration that Consul's API takes. */
export function goDurationOf (ms: number): string {
  return `${ms}ms`
}
