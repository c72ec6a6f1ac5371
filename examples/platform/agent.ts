import { startDevAgent } from 'fastify-consul/dev'
import { consulApi, type ConsulApi } from '../../test/support/consul-api.ts'
import { startConsul } from '../../test/support/consul.ts'
import { findConsul } from '../../test/support/find-consul.ts'
import type { Teardown } from '../../test/support/teardown.ts'

export interface Agent {
  url: string
  api: ConsulApi
  /** Variables with which a service finds it. */
  env: Record<string, string>
  /** Which one it is, in words. */
  description: string
}

/**
 * The Consul at `CONSUL_URL`; else one of its own, from the PATH, a container image or Debian's packages; else the
 * development agent.
 */
export async function findAgent (t: Teardown, env: NodeJS.ProcessEnv): Promise<Agent> {
  const { CONSUL_URL: given, CONSUL_TOKEN: token } = env
  if (given !== undefined) return await described(given, consulApi(given, token), about(env))
  const isThere = await findConsul().then(() => true, () => false)
  const { url } = isThere ? await startConsul(t) : await startSubstitute(t)
  return await described(url, consulApi(url), { CONSUL_URL: url })
}

async function startSubstitute (t: Teardown): Promise<{ url: string }> {
  const agent = await startDevAgent({ port: 0 })
  t.teardown(() => agent.close())
  return agent
}

async function described (url: string, api: ConsulApi, env: Agent['env']): Promise<Agent> {
  const { status, json } = await api<{ Config: { Version: string } }>('GET', '/v1/agent/self')
  if (status !== 200) throw new Error(`Consul at ${url} answered ${status}`)
  const { Version: version } = json.Config
  const isReal = !version.endsWith('fastify-consul-dev')
  const name = isReal ? `Consul ${version}` : 'No Consul: the development agent of this package stands in,'
  return { url, api, env, description: `${name} at ${url}` }
}

/** Consul's variables, and those for a Consul that reaches this machine by another address than 127.0.0.1. */
function about (env: NodeJS.ProcessEnv): Record<string, string> {
  const isAbout = /^(?:CONSUL_|SERVICE_ADDRESS$|HOST$)/
  return Object.fromEntries(Object.entries(env).flatMap(([name, value = '']) =>
    isAbout.test(name) ? [[name, value]] : []))
}
