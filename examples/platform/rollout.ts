import type { Crew } from './crew.ts'
import type { Settings } from './settings.ts'

export interface Replacement {
  crew: Crew
  /** Milliseconds. */
  took: number
}

/** A rolling restart: every layer gets a new process, one layer after the other, from the lowest. */
export async function rollOut (
  crews: readonly Crew[], { mode, kill }: Pick<Settings, 'mode' | 'kill'>, onReplaced: (done: Replacement) => void
): Promise<void> {
  const replace = mode === 'full' || mode === 'hybrid' ? takeOver : restart
  for (const crew of crews) {
    const began = performance.now()
    await replace(crew, kill ? 'SIGKILL' : 'SIGTERM')
    onReplaced({ crew, took: performance.now() - began })
  }
}

/** The new process is passing in Consul before the old one leaves, so there is one to call all the time. */
async function takeOver (crew: Crew, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  await crew.start(0)
  await crew.stop(signal)
}

/** A fixed address has room for one process: the old one has to end first, and nobody serves meanwhile. */
async function restart (crew: Crew, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  await crew.stop(signal)
  await crew.start(crew.port)
}
