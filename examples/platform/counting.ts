// Loaded into every layer with --import, as its own code counts nothing: tells the platform what it has called, now
// and then, when it is asked, and when it ends.
import { countCalls, type Told } from './counts.ts'

const counts = countCalls()

setInterval(tell, 250, false).unref()
process.on('message', () => tell(true))
process.channel?.unref()
process.once('beforeExit', () => tell(false))

function tell (isAnswer: boolean): void {
  const told: Told = { counts, isAnswer }
  if (process.connected) process.send?.(told)
}
