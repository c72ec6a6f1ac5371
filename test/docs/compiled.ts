import { writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startNode } from '../support/children.ts'
import type { Block } from './blocks.ts'
import { writeModules, type Module } from './modules.ts'
import { problem, type Problem, type Tester } from './tester.ts'

interface Diagnostic {
  file: string
  line: number
  code: string
  text: string
}

const tsc = fileURLToPath(new URL('../../node_modules/.bin/tsc', import.meta.url))
const reader = fileURLToPath(new URL('reader/', import.meta.url))

/**
 * Compiles blocks as strictly as the package itself, against its built types, with what `reader/` declares at hand.
 * A line that ends in `// error TS2345` must give this error and no other.
 */
export function compiled (folder: string): Tester {
  return async blocks => {
    const modules = await writeModules(folder, blocks)
    const found = await Promise.all(programsOf(modules).map(async (program, index) => {
      return await compile(join(folder, `tsconfig-${index}.json`), program)
    }))
    return found.flat()
  }
}

/** All in one, but for a block that declares services: those would hold for the others too. */
function programsOf (modules: readonly Module[]): Module[][] {
  const declares = ({ block }: Module): boolean => block.text.includes('interface ConsulServices')
  const others = modules.filter(module => !declares(module))
  return [others, ...modules.filter(declares).map(module => [module])]
}

async function compile (config: string, modules: readonly Module[]): Promise<Problem[]> {
  const files = [`${reader}run.ts`, ...modules.map(({ path }) => path)]
  await writeFile(config, JSON.stringify({ extends: `${reader}tsconfig.json`, files, include: [] }))
  const compiler = await startNode([tsc, '-p', config, '--pretty', 'false'])
  const { code } = await compiler.ended
  const diagnostics = compiler.output.split('\n').filter(line => /^\S/.test(line)).map(parse)
  const byFile = new Map(modules.map(({ path, block }) => [basename(path), block]))
  const elsewhere = diagnostics.find(({ file }) => !byFile.has(file))
  if (elsewhere !== undefined || (code !== 0 && diagnostics.length === 0)) throw new Error(compiler.output)
  return [...byFile].flatMap(([name, block]) => compare(block, diagnostics.filter(({ file }) => file === name)))
}

function parse (line: string): Diagnostic {
  const [, path = '', at, code = '', text = line] = /^(.+?)\((\d+),\d+\): error (TS\d+): (.+)$/.exec(line) ?? []
  return { file: basename(path), line: Number(at), code, text }
}

function compare (block: Block, diagnostics: readonly Diagnostic[]): Problem[] {
  const announced = block.text.split('\n').map(line => /\/\/ error (TS\d+)/.exec(line)?.[1])
  const wrong = diagnostics.filter(({ line, code }) => announced[line - 1] !== code)
  const missing = announced.flatMap((code, index) => {
    return code === undefined || diagnostics.some(({ line }) => line === index + 1) ? [] : [{ code, line: index + 1 }]
  })
  return [
    ...wrong.map(({ line, code, text }) => problem(block, `error ${code}: ${text}`, line)),
    ...missing.map(({ line, code }) => problem(block, `no error ${code}`, line))
  ]
}
