import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { cached, exists } from './cache.ts'
import { copyFromImage } from './containers.ts'
import { debianRelease, unpackDebianPackages } from './debian.ts'
import { firstFound } from './first-found.ts'
import { run } from './run.ts'

export interface PrometheusBinaries {
  prometheus: string
  promtool: string
}

const withConsul = { scrape_configs: [{ job_name: 'any', consul_sd_configs: [{}] }] }

/**
 * A Prometheus that knows Consul, and its promtool: on the PATH, in the image `PROMETHEUS_IMAGE` (default
 * `prom/prometheus`) when there is a container runtime, or on Debian the distribution's package. The latter two are
 * unpacked into node_modules/.cache; nothing is installed. No container, as it has to reach services on 127.0.0.1.
 */
export async function findPrometheus (): Promise<PrometheusBinaries> {
  return firstFound('Prometheus', 'install its own release (with promtool) or a container runtime such as Docker', [
    { name: 'PATH', find: () => checked(onPath()) },
    { name: 'container image', find: () => checked(fromImage()) },
    { name: 'Debian package', find: () => checked(fromDebian()) }
  ])
}

async function onPath (): Promise<string> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    if (await exists(join(folder, 'prometheus')) && await exists(join(folder, 'promtool'))) return folder
  }
  throw new Error('no prometheus, or no promtool')
}

async function fromImage (): Promise<string> {
  if (process.platform !== 'linux') throw new Error('the binaries in it are for Linux')
  const image = process.env.PROMETHEUS_IMAGE ?? 'prom/prometheus'
  return cached(`prometheus-image-${encodeURIComponent(image)}`, async folder => {
    for (const name of ['prometheus', 'promtool']) await copyFromImage(image, `/bin/${name}`, folder)
  })
}

/** Debian 11 is the last release whose Prometheus (2.24) is built with Consul's service discovery. */
async function fromDebian (): Promise<string> {
  await debianRelease()
  const folder = await cached('prometheus-debian', folder => unpackDebianPackages(['prometheus'], 'bullseye', folder))
  return join(folder, 'usr/bin')
}

async function checked (found: Promise<string>): Promise<PrometheusBinaries> {
  const folder = await found
  const binaries = { prometheus: join(folder, 'prometheus'), promtool: join(folder, 'promtool') }
  await run(binaries.prometheus, ['--version'])
  await knowsConsul(binaries.promtool)
  return binaries
}

async function knowsConsul (promtool: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'fastify-consul-promtool-'))
  try {
    const file = join(folder, 'prometheus.json')
    await writeFile(file, JSON.stringify(withConsul))
    await run(promtool, ['check', 'config', file])
  } catch (cause) {
    throw new Error(`${promtool} knows no Consul, as Debian's since Debian 12`, { cause })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
