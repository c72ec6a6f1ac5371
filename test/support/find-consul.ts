import { delimiter, join } from 'node:path'
import { cached, exists } from './cache.ts'
import { copyFromImage } from './containers.ts'
import { debianRelease, unpackDebianPackages } from './debian.ts'
import { firstFound } from './first-found.ts'
import { run } from './run.ts'

export interface ConsulBinary {
  path: string
  version: readonly [major: number, minor: number, patch: number]
}

let found: ConsulBinary | undefined

/**
 * A Consul binary: on the PATH, in the image `CONSUL_IMAGE` (default `hashicorp/consul`) when there is a container
 * runtime, or on Debian the distribution's package. The latter two are unpacked into node_modules/.cache; nothing is
 * installed.
 *
 * It is a binary and not a container because tests stop an agent in mid-air, start it again on the same ports and let
 * it check services on 127.0.0.1: a container can do none of that on every platform. So what is there already comes
 * first and what has to be downloaded last.
 */
export async function findConsul (): Promise<ConsulBinary> {
  found ??= await firstFound('Consul', 'install the consul binary or a container runtime such as Docker', [
    { name: 'PATH', find: () => checked(onPath()) },
    { name: 'container image', find: () => checked(fromImage()) },
    { name: 'Debian package', find: () => checked(fromDebian()) }
  ])
  return found
}

async function onPath (): Promise<string> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, 'consul')
    if (await exists(path)) return path
  }
  throw new Error('no consul')
}

async function fromImage (): Promise<string> {
  if (process.platform !== 'linux') throw new Error('the binary in it is for Linux')
  const image = process.env.CONSUL_IMAGE ?? 'hashicorp/consul'
  const folder = await cached(`consul-image-${encodeURIComponent(image)}`,
    folder => copyFromImage(image, '/bin/consul', folder))
  return join(folder, 'consul')
}

/** Debian 11 is the last release with a Consul (1.8.7): one file that needs only libc, so it runs on later ones too. */
async function fromDebian (): Promise<string> {
  await debianRelease()
  const folder = await cached('consul-debian', folder => unpackDebianPackages(['consul'], 'bullseye', folder))
  return join(folder, 'usr/bin/consul')
}

async function checked (found: Promise<string>): Promise<ConsulBinary> {
  const path = await found
  const { stdout } = await run(path, ['version'])
  const [, major, minor, patch] = /v(\d+)\.(\d+)\.(\d+)/.exec(stdout) ?? []
  if (patch === undefined) throw new Error(`${path} is no Consul: ${stdout}`)
  return { path, version: [Number(major), Number(minor), Number(patch)] }
}
