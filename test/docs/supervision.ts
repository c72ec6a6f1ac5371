import { resolveOptions } from '../../lib/options/resolve.ts'

/** What every configuration of a supervisor must have right. */
const { drain, health } = resolveOptions({}, { environment: {} })

/** How long it waits after its signal, in milliseconds; `undefined` if the text says nothing that can be read. */
export function wrongPatience (name: string, patience: number | undefined): string[] {
  return patience !== undefined && patience > drain.timeout ? [] : [`${name} must be more than ${drain.timeout} ms`]
}

/** The signal must reach Node: no shell and no npm in between. */
export function wrongCommand (command: unknown): string[] {
  const [program] = Array.isArray(command) ? command as unknown[] : [undefined]
  return program === 'node' ? [] : ['command must be a list that begins with node']
}

/** Which route it asks. */
export function wrongRoute (probe: 'readyPath' | 'livePath', path: unknown): string[] {
  const expected = health !== false && health[probe]
  return path === expected ? [] : [`the probe must ask ${expected}, not ${String(path)}`]
}
