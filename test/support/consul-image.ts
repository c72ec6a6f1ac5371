import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { findConsul } from './find-consul.ts'
import { run } from './run.ts'

// The files are found under the names that the program asks for, and the same command works as with hashicorp/consul.
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
    const files = new Map([[path, '/bin/consul'], ...(await librariesOf(path)).map(file => [file, file] as const)])
    for (const [from, to] of files) {
      await mkdir(join(folder, 'root', dirname(to)), { recursive: true })
      await copyFile(from, join(folder, 'root', to))
    }
    await mkdir(join(folder, 'root/tmp'))
    await writeFile(join(folder, 'Containerfile'), containerfile)
    const { GenericContainer } = await import('testcontainers')
    await GenericContainer.fromDockerfile(folder, 'Containerfile').build(name, { deleteOnExit: false })
    return name
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The files that the dynamic linker loads, itself included. None for a program that is whole by itself. */
async function librariesOf (program: string): Promise<string[]> {
  const { stdout } = await run('ldd', [program]).catch(() => ({ stdout: '' }))
  return [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, file]) => file as string)
}
