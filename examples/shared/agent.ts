import { hostname } from 'node:os'
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

/** Where the package looks by default. */
const usual = 'http://127.0.0.1:8500'

/**
 * The Consul at `CONSUL_URL`, else `CONSUL_HTTP_ADDR`; where neither is set the one at the usual address, if it is of
 * this machine. Else, and where they are empty, one of its own.
 */
export async function findAgent (t: Teardown, env: NodeJS.ProcessEnv, address = usual): Promise<Agent> {
  const given = env.CONSUL_URL ?? env.CONSUL_HTTP_ADDR ?? (await isOfThisMachine(address) ? address : '')
  if (given === '') return await startAgent(t)
  const url = given.includes('://') ? given : `http${env.CONSUL_HTTP_SSL === 'true' ? 's' : ''}://${given}`
  const api = consulApi(url, env.CONSUL_TOKEN ?? env.CONSUL_HTTP_TOKEN)
  const version = await versionOf(api).catch((error: Error) => error)
  if (version instanceof Error) throw new Error(`There is no Consul at ${new URL(url).origin}: ${version.message}`)
  const name = isSubstitute(version) ? 'No Consul: a development agent' : `Consul ${version}`
  return { url, api, env: { ...about(env), CONSUL_URL: url }, description: `${name} at ${new URL(url).origin}` }
}

/** By its name, which is the machine's by default. One in a container has another: it could not reach the services. */
async function isOfThisMachine (url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/v1/agent/self`, { signal: AbortSignal.timeout(500) })
    const { Config: { NodeName: name, Version: version } } = await response.json() as Self
    return name === hostname() || isSubstitute(version)
  } catch {
    return false
  }
}

const isSubstitute = (version: string): boolean => version.endsWith('fastify-consul-dev')

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

interface Self {
  Config: { NodeName: string, Version: string }
}

async function versionOf (api: ConsulApi): Promise<string> {
  const { status, json } = await api<Self | undefined>('GET', '/v1/agent/self')
  if (status !== 200 || json === undefined) throw new Error(`it answered ${status}`)
  return json.Config.Version
}

/** Consul's variables, and those for a Consul that reaches this machine by another address than 127.0.0.1. */
function about (env: NodeJS.ProcessEnv): Record<string, string> {
  const isAbout = /^(?:CONSUL_|SERVICE_ADDRESS$|HOST$)/
  return Object.fromEntries(Object.entries(env).flatMap(([name, value = '']) =>
    isAbout.test(name) ? [[name, value]] : []))
}
