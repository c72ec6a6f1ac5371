import { join } from 'node:path'
import { cached } from './cache.ts'
import { debianRelease, unpackDebianPackages } from './debian.ts'
import { run } from './run.ts'

export interface ConsulBinary {
  path: string
  /** `[1, 8, 7]` */
  version: readonly [number, number, number]
}

const places: ReadonlyArray<() => Promise<string>> = [
  fromEnvironment,
  fromPath,
  fromDebian
]

export async function findConsul (): Promise<ConsulBinary> {
  const misses: string[] = []
  for (const place of places) {
    try {
      const path = await place()
      return { path, version: await consulVersion(path) }
    } catch (error) {
      misses.push(error instanceof Error ? error.message : String(error))
    }
  }
  throw new Error('No Consul found: install the consul binary (https://developer.hashicorp.com/consul/install) ' +
    `or a container runtime such as Docker. Tried: ${misses.join('; ')}`)
}

async function fromEnvironment (): Promise<string> {
  const path = process.env.CONSUL_BINARY
  if (path === undefined) throw new Error('CONSUL_BINARY is not set')
  return path
}

async function fromPath (): Promise<string> {
  return 'consul'
}

/** Debian 11 is the last release with a Consul (1.8.7): one file that needs only libc, so it runs on later ones too. */
async function fromDebian (): Promise<string> {
  await debianRelease()
  const folder = await cached('consul-debian', folder => unpackDebianPackages(['consul'], 'bullseye', folder))
  return join(folder, 'usr/bin/consul')
}

async function consulVersion (path: string): Promise<ConsulBinary['version']> {
  const { stdout } = await run(path, ['version'])
  const [, major, minor, patch] = /v(\d+)\.(\d+)\.(\d+)/.exec(stdout) ?? []
  if (patch === undefined) throw new Error(`${path} version answered ${stdout}`)
  return [Number(major), Number(minor), Number(patch)]
}
