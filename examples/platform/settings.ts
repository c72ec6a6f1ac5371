import { parseArgs } from 'node:util'
import { layers, type Layer } from './layers.ts'

export type Mode = 'static' | 'register' | 'hybrid' | 'full'

export interface Settings {
  /** What is started: the lowest so many of the twelve layers. */
  platform: readonly Layer[]
  /** How the layers find each other. */
  mode: Mode
  /** Predecessors are killed (SIGKILL) and not asked to leave (SIGTERM). */
  kill: boolean
  /** Everything goes on, without load, until it is interrupted. */
  stay: boolean
}

export const usage = `Usage: npm run platform -- [--layers 12] [--kill] [--stay]

  --layers  how many of the twelve layers to start, from the lowest
  --kill    kill each process once its successor is up, and do not let it leave in good order
  --stay    keep everything running after the report, until Ctrl+C

Environment: CONSUL_URL, a Consul that is running (empty: one of its own);
CONSUL_MODE, one of static, register, hybrid and full (default)`

const modes: readonly string[] = ['static', 'register', 'hybrid', 'full'] satisfies Mode[]

/** @throws Error for what it cannot be */
export function settingsOf (args: readonly string[], { CONSUL_MODE: mode = 'full' }: NodeJS.ProcessEnv): Settings {
  const { values: { layers: count, ...flags } } = parseArgs({
    args: [...args],
    options: {
      layers: { type: 'string', default: String(layers.length) },
      kill: { type: 'boolean', default: false },
      stay: { type: 'boolean', default: false }
    }
  })
  const platform = layers.slice(0, Number(count))
  if (platform.length !== Number(count) || platform.length < 2) throw new Error(`--layers is 2 to 12, not ${count}`)
  if (!isMode(mode)) throw new Error(`CONSUL_MODE is one of ${modes.join(', ')}, not ${mode}`)
  return { platform, mode, ...flags }
}

function isMode (text: string): text is Mode {
  return modes.includes(text)
}
