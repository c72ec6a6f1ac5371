import { copyFile, mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cached } from './cache.ts'
import { debianRelease, unpackWithDependencies } from './debian.ts'
import { run } from './run.ts'

const packages = ['podman', 'runc', 'conmon', 'netavark', 'aardvark-dns', 'iptables']

/**
 * The environment for a podman that keeps everything in `folder`: the podman on the PATH or, on Debian, the
 * distribution's package with what belongs to it, unpacked into the cache.
 */
export async function podmanEnvironment (folder: string): Promise<NodeJS.ProcessEnv> {
  const isInstalled = await run('podman', ['--version']).then(() => true, () => false)
  const [parts, env] = isInstalled ? ['', {}] : await fromDebian(folder)
  const files = { 'containers.conf': containersConf(folder) + parts, 'storage.conf': storageConf(folder) }
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  return {
    ...process.env,
    CONTAINERS_CONF: join(folder, 'containers.conf'),
    CONTAINERS_STORAGE_CONF: join(folder, 'storage.conf'),
    ...env
  }
}

/** For virtual machines too, with low limits and neither systemd nor its journal. */
function containersConf (folder: string): string {
  return `
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]
[network]
network_config_dir = "${join(folder, 'networks')}"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "${join(folder, 'tmp')}"
`
}

function storageConf (folder: string): string {
  return `
[storage]
driver = "overlay"
graphroot = "${join(folder, 'storage')}"
runroot = "${join(folder, 'run')}"
`
}

/** What podman must be told to find its parts elsewhere than it was built for. */
async function fromDebian (folder: string): Promise<[parts: string, env: NodeJS.ProcessEnv]> {
  const release = await debianRelease()
  const root = await cached('podman-debian', folder => unpackWithDependencies(packages, release, folder))
  const libraries = (await readdir(join(root, 'usr/lib'))).map(name => join(root, 'usr/lib', name))
  const bin = join(folder, 'bin')
  const home = join(folder, 'home/.config/containers')
  for (const each of [bin, home]) await mkdir(each, { recursive: true })
  for (const name of ['iptables', 'ip6tables']) {
    await symlink(join(root, 'usr/sbin/xtables-nft-multi'), join(bin, name))
  }
  await copyFile(join(root, 'etc/containers/policy.json'), join(home, 'policy.json'))

  const parts = `
runtime = "runc"
conmon_path = ["${join(root, 'usr/bin/conmon')}"]
helper_binaries_dir = ["${join(root, 'usr/lib/podman')}"]
[engine.runtimes]
runc = ["${join(root, 'usr/sbin/runc')}"]
`
  return [parts, {
    HOME: join(folder, 'home'),
    CONTAINERS_REGISTRIES_CONF: join(root, 'etc/containers/registries.conf'),
    LD_LIBRARY_PATH: libraries.join(':'),
    PATH: `${bin}:${join(root, 'usr/bin')}:${process.env.PATH}`,
    XTABLES_LIBDIR: libraries.map(library => join(library, 'xtables')).join(':')
  }]
}
