import { consulApi, isReady, type ConsulApi } from './consul-api.ts'
import { startConsul } from './consul.ts'
import { startContainer } from './containers.ts'
import { firstFound, fromEnvironment } from './first-found.ts'
import type { Teardown } from './teardown.ts'
import { until } from './wait.ts'

export interface AnyConsul {
  url: string
  api: ConsulApi
}

/**
 * A real Consul for a test that neither stops it nor lets it check a service of this machine nor expects it empty:
 * the one at `CONSUL_TEST_URL`, a container of `CONSUL_IMAGE` (default `hashicorp/consul`), else an agent of its own.
 */
export async function anyConsul (t: Teardown): Promise<AnyConsul> {
  const url = await firstFound('Consul', 'install the consul binary or a container runtime such as Docker', [
    { name: 'address', find: async () => fromEnvironment('CONSUL_TEST_URL') },
    { name: 'container', find: () => fromContainer(t) },
    { name: 'own agent', find: async () => (await startConsul(t)).url }
  ])
  const api = consulApi(url)
  await until(() => isReady(api), { timeout: 20_000, what: 'Consul to be ready' })
  return { url, api }
}

async function fromContainer (t: Teardown): Promise<string> {
  const { host, port } = await startContainer(t, {
    image: process.env.CONSUL_IMAGE ?? 'hashicorp/consul',
    port: 8500,
    ready: /Starting Consul agent/,
    command: ['agent', '-dev', '-client=0.0.0.0', '-log-level=err']
  })
  return `http://${host}:${port}`
}
