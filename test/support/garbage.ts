import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
/** Collects all that is not in use any more. */
export const collectGarbage = runInNewContext('gc') as () => void

/** Bytes that are in use. */
export function heapUsed (): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}
