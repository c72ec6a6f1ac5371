import { Cleanup } from '../../../examples/shared/cleanup.ts'
import type { Fault, FaultContext, Figures } from '../fault.ts'

/** A fault is given up after that long. Milliseconds. */
const limit = 300_000

/** Runs a fault and ends what it has started. A fault that throws has broken its promise. */
export async function measure (fault: Fault, log: (text: string) => void): Promise<Figures> {
  const cleanup = new Cleanup()
  let timer: NodeJS.Timeout | undefined
  try {
    const context: FaultContext = { log, teardown: step => cleanup.teardown(step) }
    const tooLong = new Promise<Figures>(resolve => {
      timer = setTimeout(() => resolve({ broken: `not over after ${limit / 1000} s` }), limit)
    })
    return await Promise.race([fault.run(context), tooLong])
  } catch (error) {
    return { broken: error instanceof Error ? error.message : String(error) }
  } finally {
    clearTimeout(timer)
    await cleanup.run()
  }
}
