// Loaded into every layer with --import, as its own code counts nothing: tells the platform what it has called, now
// and then, when it is asked, and when it ends.
import { countCalls } from './counts.ts'

const counts = countCalls()
const tell = (): void => { if (process.connected) process.send?.(counts) }

setInterval(tell, 250).unref()
process.on('message', tell)
process.channel?.unref()
process.once('beforeExit', tell)
