import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import type { ContainerRuntimeClient } from 'testcontainers'
import { copyProgram } from './program-root.ts'

/** No container can be run on this machine, whatever is in it. */
export class NoContainers extends Error {}

const repository = 'localhost/fastify-consul-plain'

/**
 * Starts a container of nothing but this machine's shell, with a port mapped: by the runtime's API alone, and nothing
 * is left of it. Rejects where the machine or the runtime can run none.
 */
export async function runPlainContainer ({ container: { dockerode } }: ContainerRuntimeClient): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'fastify-consul-plain-'))
  try {
    await copyProgram('/bin/sh', '/bin/sh', folder)
    const tar = spawn('tar', ['-c', '-C', folder, '.'], { stdio: ['ignore', 'pipe', 'ignore'] })
    const progress = await dockerode.importImage(tar.stdout, { repo: repository, tag: 'latest' })
    await finished(progress.resume())
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  const container = await dockerode.createContainer({
    Image: `${repository}:latest`,
    Cmd: ['/bin/sh', '-c', 'read line'], // It waits: podman has trouble with removing what is just ending.
    OpenStdin: true,
    StopSignal: 'SIGKILL',
    ExposedPorts: { '8500/tcp': {} },
    HostConfig: { PublishAllPorts: true }
  })
  try {
    await container.start()
  } finally {
    // What cannot be removed says nothing of what can be run.
    await container.remove({ force: true }).catch(() => {})
    await dockerode.getImage(`${repository}:latest`).remove({ force: true }).catch(() => {})
  }
}
