// Twelve service layers on one machine, replaced one after the other under load: npm run platform
//
// Nothing has to be installed or running: see README.md. Everything that is started is ended again. Exit code 0 only if
// not one request failed.
import { Cleanup } from '../shared/cleanup.ts'
import { interrupted, type Ending } from '../shared/ending.ts'
import { Board } from './board.ts'
import { settingsOf, usage, type Settings } from './settings.ts'
import { tellStory } from './story.ts'

const settings = read()
const began = performance.now()
const cleanup = new Cleanup()
const board = new Board(process.stdout)
const interruption = interrupted()

const { code, message } = await Promise.race([told(), interruption])
board.say()
board.say(message)
if (settings.stay) await stay()
await cleanup.run()
board.say(`Took ${((performance.now() - began) / 1000).toFixed(1)} s`)
process.exit(code)

function read (): Settings {
  try {
    return settingsOf(process.argv.slice(2), process.env)
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`)
    process.exit(2)
  }
}

async function told (): Promise<Ending> {
  try {
    const hasFailed = await tellStory(cleanup, board, settings)
    return hasFailed ? { code: 1, message: 'Done, and not without failures' } : { code: 0, message: 'Done: 0 failed' }
  } catch (error) {
    return { code: 1, message: `The platform was given up. ${error instanceof Error ? error.message : String(error)}` }
  }
}

async function stay (): Promise<void> {
  board.say('Everything keeps running, without load, until Ctrl+C')
  await interruption
}
