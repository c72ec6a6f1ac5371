import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withoutOptions } from '../examples/boot.ts'
import { startScript, type Script } from '../support/process.ts'
import type { Teardown } from '../support/teardown.ts'
import type { Block } from './blocks.ts'
import { writeModules, type Module } from './modules.ts'
import { problem, type Problem, type Tester } from './tester.ts'
import type { World } from './world.ts'

const reader = fileURLToPath(new URL('reader/run.ts', import.meta.url))

/**
 * Runs blocks against real services, one after the other in each of two processes. What a block begins is brought to
 * its end: an app listens, is registered, answers on its routes, calls another service and leaves. A block for
 * `node --test` is a process by itself. One that starts a container is run where there are containers.
 */
export function ran (t: Teardown, folder: string, world: World): Tester {
  const env = { ...withoutOptions(), ...world.env, SERVICE_NAME: 'l01-data-layer', PORT: '0' }
  const start = async (path: string, args: readonly string[] = []): Promise<Script> => {
    const script = await startScript(t, path, { args, env })
    await script.ended
    return script
  }
  return async blocks => {
    const possible = blocks.filter(({ text }) => world.hasContainers || !text.includes("from 'testcontainers'"))
    await writeFiles(folder, possible, world)
    const modules = await writeModules(folder, possible, text => inWorld(text, folder, world))
    const isTest = ({ block }: Module): boolean => block.text.includes("from 'node:test'")
    const found = await Promise.all([
      ...halvesOf(modules.filter(module => !isTest(module))).map(async half => {
        return resultsOf(half, await start(reader, half.map(({ path }) => path)))
      }),
      ...modules.filter(isTest).map(async module => passed(module, await start(module.path)))
    ])
    return found.flat()
  }
}

/** Page by page. */
function halvesOf (modules: readonly Module[]): Module[][] {
  const pages = [...new Set(modules.map(({ block }) => block.page))]
  const isIn = ({ block }: Module, half: number): boolean => pages.indexOf(block.page) % 2 === half
  return [0, 1].map(half => modules.filter(module => isIn(module, half))).filter(({ length }) => length > 0)
}

function resultsOf (modules: readonly Module[], { lines, output }: Script): Problem[] {
  const results = new Map(lines.filter(line => line.startsWith('{"file":')).map(line => {
    const { file, wrong } = JSON.parse(line) as { file: string, wrong: string }
    return [file, wrong]
  }))
  return modules.flatMap(({ block, path }) => {
    const wrong = results.get(path) ?? `it was not run:\n${output}`
    return wrong === '' ? [] : [problem(block, wrong)]
  })
}

async function passed ({ block }: Module, { ended, output }: Script): Promise<Problem[]> {
  return (await ended).code === 0 ? [] : [problem(block, output)]
}

/** An absolute path in a block, as those of secrets and certificates. */
const absolute = /(?<=')\/(?:etc|run|srv|var)\/[^']+(?=')/g

/** What stands in the documentation for an address or a file of the reader's, and is another one here. */
function inWorld (text: string, folder: string, { ports }: World): string {
  return text
    .replaceAll(/(?<=(?:127\.0\.0\.1|localhost):)\d+/g, port => ports[port] ?? port)
    .replaceAll(/(?<=\.listen\(\{ port: )\d+/g, '0')
    .replaceAll(/hashicorp\/consul:[\d.]+/g, image => process.env.CONSUL_IMAGE ?? image)
    .replaceAll(absolute, path => join(folder, path))
}

async function writeFiles (folder: string, blocks: readonly Block[], { fileFor }: World): Promise<void> {
  for (const path of new Set(blocks.flatMap(({ text }) => text.match(absolute) ?? []))) {
    const file = join(folder, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, fileFor(path))
  }
}
