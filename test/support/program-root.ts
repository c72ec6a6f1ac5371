import { copyFile, mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { run } from './run.ts'

/** Copies a program of this machine into `root`, as `path`, with what it loads: enough for it to run from there. */
export async function copyProgram (program: string, path: string, root: string): Promise<void> {
  // Libraries are found under the names that the program asks for.
  const files = new Map([[program, path], ...(await librariesOf(program)).map(file => [file, file] as const)])
  for (const [from, to] of files) {
    await mkdir(join(root, dirname(to)), { recursive: true })
    await copyFile(from, join(root, to))
  }
}

/** The files that the dynamic linker loads, itself included. None for a program that is whole by itself. */
async function librariesOf (program: string): Promise<string[]> {
  const { stdout } = await run('ldd', [program]).catch(() => ({ stdout: '' }))
  return [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, file]) => file as string)
}
