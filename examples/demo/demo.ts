// Shows what this package does, on a real Consul where there is one: npm run demo
//
// Nothing has to be installed or running: a Consul is looked for on the PATH, in a container image and in Debian's
// packages, and where there is none the development agent stands in. Everything that is started is ended again. Exit
// code 0 only if not one request failed.
import { Cleanup } from '../shared/cleanup.ts'
import { interrupted, type Ending } from '../shared/ending.ts'
import { Screen } from './screen.ts'
import { tellStory } from './story.ts'

const began = performance.now()
const cleanup = new Cleanup()
const screen = new Screen(process.stdout)

const { code, message } = await Promise.race([told(), interrupted()])
screen.progress('ending what was started')
await cleanup.run()
screen.say()
screen.say(message)
screen.say(`Took ${((performance.now() - began) / 1000).toFixed(1)} s`)
process.exit(code)

async function told (): Promise<Ending> {
  try {
    const failed = await tellStory(cleanup, screen)
    return failed === 0 ? { code: 0, message: 'Done: 0 failed' } : { code: 1, message: `Done: ${failed} failed` }
  } catch (error) {
    return { code: 1, message: `The demo was given up. ${error instanceof Error ? error.message : String(error)}` }
  }
}
