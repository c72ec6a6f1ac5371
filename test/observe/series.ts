import type { Registry } from 'prom-client'

type Labels = Record<string, string>

/** The value under these labels, and under any of those not named: their sum. `undefined`: there is no such series. */
export async function valueOf (register: Registry, series: string, labels: Labels = {}): Promise<number | undefined> {
  const found = (await seriesOf(register)).filter(each => each.name === series &&
    Object.entries(labels).every(([name, value]) => each.labels[name] === value))
  return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0)
}

/** The text format, read line by line: what cannot be read throws. */
export async function seriesOf (register: Registry): Promise<{ name: string, labels: Labels, value: number }[]> {
  const lines = (await register.metrics()).split('\n').filter(line => line !== '' && !line.startsWith('#'))
  return lines.map(line => {
    const [, name, text = '', value] = /^([a-z_]+)(?:\{(.*)\})? (-?[\d.e+-]+|\+Inf)$/.exec(line) ?? []
    if (name === undefined) throw new Error(`not a sample: ${line}`)
    const pairs = [...text.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)]
    const labels = Object.fromEntries(pairs.map(([, label, value]) => [label, value]))
    return { name, labels, value: Number(value) }
  })
}
