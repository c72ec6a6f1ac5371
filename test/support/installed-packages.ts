import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { exists } from './cache.ts'

export interface Manifest {
  name: string
  version: string
  scripts?: Record<string, string>
  bin?: Record<string, string>
  dependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
  peerDependenciesMeta?: Record<string, { optional?: boolean }>
}

export interface InstalledPackage {
  /** `name@version` */
  id: string
  folder: string
}

export async function manifestOf (folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest
}

/** What the package in `folder` depends on, and what that depends on, each version once; no peers. */
export async function dependenciesOf (folder: string): Promise<InstalledPackage[]> {
  const found = new Map<string, string>()
  const follow = async (from: string): Promise<void> => {
    for (const name of Object.keys((await manifestOf(from)).dependencies ?? {})) {
      const needed = await folderOf(name, from)
      const id = `${name}@${(await manifestOf(needed)).version}`
      if (found.has(id)) continue
      found.set(id, needed)
      await follow(needed)
    }
  }
  await follow(folder)
  return [...found].map(([id, folder]) => ({ id, folder }))
}

/** The sizes in bytes of a package's files, without those of packages in a node_modules of its own. */
export async function fileSizesOf ({ folder }: InstalledPackage): Promise<number[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
  const own = files.filter(file => !file.slice(folder.length).includes('/node_modules/'))
  return await Promise.all(own.map(async file => (await stat(file)).size))
}

/** Where Node finds a package from there. */
async function folderOf (name: string, from: string): Promise<string> {
  const folder = join(from, 'node_modules', name)
  if (await exists(folder)) return folder
  if (dirname(from) === from) throw new Error(`${name} is not installed`)
  return await folderOf(name, dirname(from))
}
