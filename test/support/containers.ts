import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { pipeline } from 'node:stream/promises'
import type { ContainerRuntimeClient } from 'testcontainers'
import type { Service } from './service.ts'
import type { Teardown } from './teardown.ts'

/**
 * Rejects without a container runtime. Asking costs half a second: with `TEST_CONTAINERS=no` nobody is asked. With
 * `TEST_CONTAINERS=local` there are only the images that this machine has: none is pulled.
 */
export async function containerRuntime (): Promise<ContainerRuntimeClient> {
  if (process.env.TEST_CONTAINERS === 'no') throw new Error('no container runtime')
  const { getContainerRuntimeClient } = await import('testcontainers')
  return getContainerRuntimeClient()
}

export interface ContainerOptions {
  image: string
  /** The port inside; the service says where it is reached from outside. */
  port: number
  /** A line that the container logs when it is ready. */
  ready: RegExp
  /** The port outside. By default any: with Docker, another one after a restart. */
  hostPort?: number
  environment?: Record<string, string>
  command?: string[]
}

export interface ContainerService extends Service {
  /** Ends what runs in it at once and starts it again; resolves when it is ready. */
  restart: () => Promise<void>
}

/** Starts a container that ends with the test. */
export async function startContainer (t: Teardown, options: ContainerOptions): Promise<ContainerService> {
  const { image, port, ready, hostPort, environment = {}, command = [] } = options
  await runtimeWith(image)
  const { GenericContainer, Wait } = await import('testcontainers')
  const container = await new GenericContainer(image)
    .withExposedPorts(hostPort === undefined ? port : { container: port, host: hostPort })
    .withEnvironment(environment)
    .withCommand(command)
    .withWaitStrategy(Wait.forLogMessage(ready))
    .start()
  let stopped: Promise<unknown> | undefined
  const stop = async (timeout: number): Promise<void> => {
    stopped ??= container.stop({ timeout })
    await stopped
  }
  t.teardown(() => stop(0))
  return {
    restart: () => container.restart(),
    host: container.getHost(),
    port: container.getMappedPort(port),
    kill: () => stop(0),
    stop: () => stop(10_000)
  }
}

/** Copies one file out of an image into `folder`. */
export async function copyFromImage (image: string, path: string, folder: string): Promise<void> {
  const runtime = await runtimeWith(image)
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

async function runtimeWith (image: string): Promise<ContainerRuntimeClient> {
  const runtime = await containerRuntime()
  const { ImageName } = await import('testcontainers')
  const isAllowed = process.env.TEST_CONTAINERS !== 'local' || await runtime.image.exists(ImageName.fromString(image))
  if (!isAllowed) throw new Error(`no image ${image} on this machine`)
  return runtime
}
