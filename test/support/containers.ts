import type { GenericContainer, StartedTestContainer } from 'testcontainers'
import type { Service } from './service.ts'
import type { Teardown } from './teardown.ts'

/** Says once per test run whether containers can be started: "yes" or "no". Set to "no", none is. */
const variable = 'TEST_CONTAINERS'

/** Rejects without a container runtime. Asking takes most of a second, so the answer is kept for child processes. */
export async function requireContainerRuntime (): Promise<void> {
  process.env[variable] ??= await hasRuntime() ? 'yes' : 'no'
  if (process.env[variable] === 'no') throw new Error('no container runtime')
}

async function hasRuntime (): Promise<boolean> {
  const { getContainerRuntimeClient } = await import('testcontainers')
  return getContainerRuntimeClient().then(() => true, () => false)
}

/** Starts a container that ends with the test. Its `port` is reached at the service's host and port. */
export async function startContainer (
  t: Teardown, image: string, port: number, configure: (container: GenericContainer) => GenericContainer
): Promise<Service & { container: StartedTestContainer }> {
  await requireContainerRuntime()
  const { GenericContainer } = await import('testcontainers')
  const container = await configure(new GenericContainer(image).withExposedPorts(port)).start()
  let stopped: Promise<unknown> | undefined
  const stop = async (timeout: number): Promise<void> => {
    stopped ??= container.stop({ timeout })
    await stopped
  }
  t.teardown(() => stop(0))
  return {
    container,
    host: container.getHost(),
    port: container.getMappedPort(port),
    kill: () => stop(0),
    stop: () => stop(10_000)
  }
}
