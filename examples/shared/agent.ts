import { startDevAgent } from 'fastify-consul/dev'
import { consulApi, type ConsulApi } from '../../test/support/consul-api.ts'
import { startConsul } from '../../test/support/consul.ts'
import { findConsul } from '../../test/support/find-consul.ts'
import type { Teardown } from '../../test/support/teardown.ts'

/** With whom everyone registers: a Consul, or what stands in for it. */
export interface Agent {
  url: string
  api: ConsulApi
  /** Variables with which a service finds it. */
  env: Record<string, string>
  /** Which one it is, in a line. */
  description: string
}

/** The Consul at `CONSUL_URL`, else one of its own: any other may be somebody's, with services of these names. */
export async function findAgent (t: Teardown, env: NodeJS.ProcessEnv): Promise<Agent> {
  const { CONSUL_URL: url = '', CONSUL_TOKEN: token } = env
  if (url === '') return await startAgent(t)
  const api = consulApi(url, token)
  const version = await versionOf(api).catch((error: Error) => error)
  if (version instanceof Error) throw new Error(`There is no Consul at ${new URL(url).origin}: ${version.message}`)
  const name = version.endsWith('fastify-consul-dev') ? 'No Consul: a development agent' : `Consul ${version}`
  return { url, api, env: about(env), description: `${name} at ${new URL(url).origin}` }
}

/** One of its own: a Consul from the PATH, a container image or Debian's packages; else the development agent. */
export async function startAgent (t: Teardown): Promise<Agent> {
  const isThere = await findConsul().then(() => true, () => false)
  const { url } = isThere ? await startConsul(t) : await startSubstitute(t)
  const api = consulApi(url)
  const name = isThere
    ? `Consul ${await versionOf(api)}`
    : 'No Consul to start was found: the development agent of fastify-consul stands in,'
  return { url, api, env: { CONSUL_URL: url }, description: `${name} at ${url}` }
}

async function startSubstitute (t: Teardown): Promise<{ url: string }> {
  const agent = await startDevAgent({ port: 0 })
  t.teardown(() => agent.close())
  return agent
}

async function versionOf (api: ConsulApi): Promise<string> {
  const { status, json } = await api<{ Config: { Version: string } } | undefined>('GET', '/v1/agent/self')
  if (status !== 200 || json === undefined) throw new Error(`it answered ${status}`)
  return json.Config.Version
}

/** Consul's variables, and those for a Consul that reaches this machine by another address than 127.0.0.1. */
function about (env: NodeJS.ProcessEnv): Record<string, string> {
  const isAbout = /^(?:CONSUL_|SERVICE_ADDRESS$|HOST$)/
  return Object.fromEntries(Object.entries(env).flatMap(([name, value = '']) =>
    isAbout.test(name) ? [[name, value]] : []))
}
