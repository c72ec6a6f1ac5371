import type { startDevAgent } from '../../lib/dev/index.ts'
import { startConsul } from '../support/consul.ts'
import type { Teardown } from '../support/teardown.ts'
import { Agent } from './agent.ts'

/** A real Consul. */
export async function realAgent (t: Teardown): Promise<Agent> {
  const { url, api } = await startConsul(t)
  const { json } = await api<{ Config: { Version: string } }>('GET', '/v1/agent/self')
  const [major = 0, minor = 0] = json.Config.Version.split('.').map(Number)
  return new Agent(url, major > 1 || minor >= 11)
}

/** The development agent, or that of the module `DEV_AGENT`. */
export async function devAgent (t: Teardown): Promise<Agent> {
  const path = process.env['DEV_AGENT'] ?? new URL('../../lib/dev/index.ts', import.meta.url).href
  const module = await import(path) as { startDevAgent: typeof startDevAgent }
  const agent = await module.startDevAgent({ port: 0 })
  t.teardown(() => agent.close())
  return new Agent(agent.url, true)
}
