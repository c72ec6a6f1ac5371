import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Block } from './blocks.ts'

/** A block as the file that a reader would make of it. */
export interface Module {
  block: Block
  path: string
}

/** Languages whose blocks are modules. */
export const moduleLanguages: ReadonlySet<string> = new Set(['ts', 'js', 'mjs', 'cjs'])

/**
 * Writes blocks into `folder`, each as a module of its own, line by line where it was. The folder must be inside of
 * the project, so that `fastify-consul` is this package.
 */
export async function writeModules (
  folder: string, blocks: readonly Block[], edit: (text: string) => string = text => text
): Promise<Module[]> {
  await mkdir(folder, { recursive: true })
  return await Promise.all(blocks.map(async block => {
    const name = `${block.page.replaceAll('/', '-')}-${block.line}.${extensionOf(block)}`
    const path = join(folder, name)
    await writeFile(path, edit(block.text) + (name.endsWith('.cjs') ? '\n' : '\nexport {}\n'))
    return { block, path }
  }))
}

function extensionOf ({ language, text }: Block): string {
  return language === 'js' && /^module\.exports\b/m.test(text) ? 'cjs' : language
}
