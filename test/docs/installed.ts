import { chmod, mkdir, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { manifestOf, type Manifest } from '../support/installed-packages.ts'
import { run } from '../support/run.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Packs this package as it would be published, with the build that is there, and unpacks it into `folder`. */
export async function unpack (folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]
  const { stdout } = await run('npm', args, { cwd: root })
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }]
  await run('tar', ['-xzf', filename, '--strip-components=1'], { cwd: folder })
}

/**
 * `npm install` into `folder`, without a registry: this package as it is published, and links to what the project has
 * of the others. Nothing is there but what was named and what this package brings with it.
 */
export async function install (folder: string, names: readonly string[]): Promise<void> {
  const own = join(folder, 'node_modules/fastify-consul')
  await unpack(own)
  const manifest = await manifestOf(own)
  const others = new Set([...names, ...needsOf(manifest)].filter(name => name !== manifest.name))
  for (const name of others) await link(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  for (const [name, file] of Object.entries(manifest.bin ?? {})) {
    await chmod(join(own, file), 0o755)
    await link(join(own, file), join(folder, 'node_modules/.bin', name))
  }
}

/** What npm installs with a package: its dependencies, and the peers that it must have. */
function needsOf ({ dependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} }: Manifest): string[] {
  const peers = Object.keys(peerDependencies).filter(name => peerDependenciesMeta[name]?.optional !== true)
  return [...Object.keys(dependencies), ...peers]
}

async function link (from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true })
  await symlink(from, to)
}
