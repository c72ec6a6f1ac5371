import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './run.ts'

/**
 * Unpacks packages of a Debian release into `folder`. Nothing is installed and the system's package lists stay as
 * they are: apt works on a state of its own in the folder, with the mirror and the keys of this machine.
 */
export async function unpackDebianPackages (names: readonly string[], release: string, folder: string): Promise<void> {
  const apt = join(folder, 'apt')
  const options = await ownApt(apt, release)
  for (const name of names) {
    const { stdout } = await run('apt-get', [...options, 'download', '--print-uris', name])
    await run('apt-get', [...options, 'download', name], { cwd: apt })
    await run('dpkg', ['-x', join(apt, packageFile(stdout)), folder])
  }
}

/** The same with what the packages depend on, as far as this machine has it not installed. */
export async function unpackWithDependencies (
  names: readonly string[], release: string, folder: string
): Promise<void> {
  const apt = join(folder, 'apt')
  const options = [...await ownApt(apt, release), '-o', 'Debug::NoLocking=true']
  await run('apt-get', [...options, 'install', '--yes', '--no-install-recommends', '--download-only', ...names])
  const archives = join(apt, 'cache/archives')
  for (const file of await readdir(archives)) {
    if (file.endsWith('.deb')) await run('dpkg', ['-x', join(archives, file), folder])
  }
}

/** The options with which apt works on a state of its own, brought up to date, in the folder `apt`. */
async function ownApt (apt: string, release: string): Promise<string[]> {
  await mkdir(join(apt, 'lists/partial'), { recursive: true })
  await mkdir(join(apt, 'cache/archives/partial'), { recursive: true })
  await writeFile(join(apt, 'sources.list'), `deb ${await debianMirror()} ${release} main\n`)
  const options = [
    '-q',
    '-o', `Dir::State::Lists=${join(apt, 'lists')}`,
    '-o', `Dir::Etc::SourceList=${join(apt, 'sources.list')}`,
    '-o', 'Dir::Etc::SourceParts=/dev/null',
    '-o', `Dir::Cache=${join(apt, 'cache')}`
  ]
  await run('apt-get', [...options, 'update'])
  return options
}

/** `bookworm` on Debian 12. */
export async function debianRelease (): Promise<string> {
  const release = /^VERSION_CODENAME=(.+)$/m.exec(await readFile('/etc/os-release', 'utf8'))?.[1]
  if (release === undefined) throw new Error('/etc/os-release names no release')
  return release
}

async function debianMirror (): Promise<string> {
  const { stdout } = await run('apt-get',
    ['indextargets', '--format', '$(REPO_URI) $(ORIGIN)|$(LABEL)', 'Created-By: Packages'])
  const mirror = /^(\S+) Debian\|Debian$/m.exec(stdout)?.[1]
  if (mirror === undefined) throw new Error('apt is configured with no Debian mirror')
  return mirror
}

/** `--print-uris` answers `'uri' file size checksum`. */
function packageFile (uris: string): string {
  const file = /^'[^']+' (\S+)/m.exec(uris)?.[1]
  if (file === undefined) throw new Error(`apt-get names no file: ${uris}`)
  return file
}
