import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findConsul } from './find-consul.ts'
import { copyProgram } from './program-root.ts'

// The same command works as with hashicorp/consul.
const containerfile = `FROM scratch
COPY root /
ENTRYPOINT ["/bin/consul"]
`

/** An image with the Consul that `findConsul` finds and nothing else. Its name. */
export async function buildConsulImage (): Promise<string> {
  const { path, version } = await findConsul()
  const name = `localhost/consul-of-this-machine:${version.join('.')}`
  const folder = await mkdtemp(join(tmpdir(), 'fastify-consul-image-'))
  try {
    await copyProgram(path, '/bin/consul', join(folder, 'root'))
    await mkdir(join(folder, 'root/tmp'))
    await writeFile(join(folder, 'Containerfile'), containerfile)
    const { GenericContainer } = await import('testcontainers')
    await GenericContainer.fromDockerfile(folder, 'Containerfile').build(name, { deleteOnExit: false })
    return name
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
