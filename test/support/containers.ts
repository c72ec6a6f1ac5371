import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { pipeline } from 'node:stream/promises'
import type { ContainerRuntimeClient, GenericContainer } from 'testcontainers'
import type { Service } from './service.ts'
import type { Teardown } from './teardown.ts'

/** Rejects without a container runtime. Asking costs half a second: with `TEST_CONTAINERS=no` nobody is asked. */
export async function containerRuntime (): Promise<ContainerRuntimeClient> {
  if (process.env.TEST_CONTAINERS === 'no') throw new Error('no container runtime')
  const { getContainerRuntimeClient } = await import('testcontainers')
  return getContainerRuntimeClient()
}

/** Starts a container that ends with the test. Its `port` is reached at the service's host and port. */
export async function startContainer (
  t: Teardown, image: string, port: number, configure: (container: GenericContainer) => GenericContainer
): Promise<Service> {
  await containerRuntime()
  const { GenericContainer } = await import('testcontainers')
  const container = await configure(new GenericContainer(image).withExposedPorts(port)).start()
  let stopped: Promise<unknown> | undefined
  const stop = async (timeout: number): Promise<void> => {
    stopped ??= container.stop({ timeout })
    await stopped
  }
  t.teardown(() => stop(0))
  return {
    host: container.getHost(),
    port: container.getMappedPort(port),
    kill: () => stop(0),
    stop: () => stop(10_000)
  }
}

/** Copies one file out of an image into `folder`. */
export async function copyFromImage (image: string, path: string, folder: string): Promise<void> {
  const runtime = await containerRuntime()
  const { ImageName } = await import('testcontainers')
  await runtime.image.pull(ImageName.fromString(image))
  const container = await runtime.container.create({ Image: image })
  try {
    const tar = spawn('tar', ['-x', '-C', folder], { stdio: ['pipe', 'ignore', 'inherit'] })
    const ended = once(tar, 'close')
    await pipeline(await runtime.container.fetchArchive(container, path), tar.stdin)
    await ended
  } finally {
    await runtime.container.remove(container)
  }
}
