import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../node_modules/.cache/fastify-consul/', import.meta.url))

/**
 * The folder `name` in the project's cache, filled by `fill` the first time. It appears whole or not at all, so two
 * processes that fill it at once disturb each other as little as one that is killed half-way.
 */
export async function cached (name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(root, name)
  if (await exists(folder)) return folder
  await mkdir(root, { recursive: true })
  const draft = await mkdtemp(join(root, `${name}-draft-`))
  try {
    await fill(draft)
    await rename(draft, folder)
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    if (!await exists(folder)) throw error
  }
  return folder
}

export async function exists (path: string): Promise<boolean> {
  return access(path).then(() => true, () => false)
}
