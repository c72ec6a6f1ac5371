import type { ConsulBinary } from './find-consul.ts'

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }
export type JsonObject = { readonly [key: string]: Json }

export type Ports = readonly [http: number, server: number, serfLan: number, serfWan: number]

export interface AgentConfig {
  host: string
  ports: Ports
  version: ConsulBinary['version']
  /** None: no access control. */
  token?: string | undefined
  /** None: a development agent, which keeps nothing. */
  dataDir?: string | undefined
}

/** An agent that listens on nothing but `ports` of `host` and asks nothing of the outside. */
export function agentConfig ({ host, ports, version, token, dataDir }: AgentConfig): JsonObject {
  const [http, server, serfLan, serfWan] = ports
  const [major, minor] = version
  const since = (oneDot: number): boolean => major > 1 || minor >= oneDot
  return {
    bind_addr: host,
    client_addr: host,
    log_level: 'err',
    disable_update_check: true,
    ports: {
      http,
      server,
      serf_lan: serfLan,
      serf_wan: serfWan,
      dns: -1,
      https: -1,
      grpc: -1,
      ...(since(14) && { grpc_tls: -1 })
    },
    ...(dataDir !== undefined && {
      server: true,
      bootstrap_expect: 1,
      data_dir: dataDir,
      performance: { raft_multiplier: 1 }
    }),
    ...(token !== undefined && {
      acl: {
        enabled: true,
        default_policy: 'deny',
        tokens: { [since(11) ? 'initial_management' : 'master']: token, agent: token }
      }
    })
  }
}

/** `b` over `a`, object by object. */
export function merge (a: JsonObject, b: JsonObject): JsonObject {
  const merged: Record<string, Json> = { ...a }
  for (const [key, value] of Object.entries(b)) {
    const before = merged[key]
    merged[key] = isObject(before) && isObject(value) ? merge(before, value) : value
  }
  return merged
}

function isObject (value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
