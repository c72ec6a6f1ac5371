import { fileURLToPath } from 'node:url'
import { exists } from '../support/cache.ts'
import { run } from '../support/run.ts'
import { commandsOf, type Command } from './commands.ts'
import type { Programs } from './programs.ts'
import { problem, type Tester } from './tester.ts'

/** A path into this project. */
const ofProject = /(?<=^|[\s='"])(?:\.ci|docs|examples|lib|scripts|test)\/[^\s'"]+/g

/** Blocks for a shell: bash must find no fault in their syntax, and a program that is known none in its arguments. */
export function shell (programs: Programs): Tester {
  return async blocks => {
    const found = await Promise.all(blocks.map(async block => {
      const syntax = await run('bash', ['-n', '-c', block.text]).then(() => [], (error: Error) => [error.message])
      const commands = await Promise.all(commandsOf(block.text).map(async command => {
        const messages = await wrongIn(command, programs).catch((error: Error) => [error.message])
        return messages.map(message => problem(block, `${command.text}: ${message}`, command.line))
      }))
      return [...syntax.map(message => problem(block, message)), ...commands.flat()]
    }))
    return found.flat()
  }
}

async function wrongIn (command: Command, programs: Programs): Promise<string[]> {
  const test = programs[command.program]
  if (test === undefined) return [`nothing tests ${command.program}`]
  const files = command.text.match(ofProject) ?? []
  const there = await Promise.all(files.map(file => exists(fileURLToPath(new URL(`../../${file}`, import.meta.url)))))
  return [...files.filter((_, index) => !there[index]).map(file => `there is no ${file}`), ...await test(command)]
}
