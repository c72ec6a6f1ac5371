/** What a service reaches through its sidecar. */
export interface UpstreamDefinition {
  destinationName: string
  /** Consul's default: `service`. */
  destinationType?: 'service' | 'prepared_query'
  destinationNamespace?: string
  destinationPartition?: string
  destinationPeer?: string
  datacenter?: string
  localBindAddress?: string
  localBindPort?: number
  localBindSocketPath?: string
  /** The proxy's own; sent as it is. */
  config?: Readonly<Record<string, unknown>>
}

/**
 * A proxy of Consul's service mesh.
 *
 * Source: https://developer.hashicorp.com/consul/docs/reference/proxy/connect-proxy
 */
export interface ProxyDefinition {
  destinationServiceName?: string
  destinationServiceId?: string
  localServiceAddress?: string
  localServicePort?: number
  localServiceSocketPath?: string
  mode?: 'direct' | 'transparent'
  /** The proxy's own; sent as it is. */
  config?: Readonly<Record<string, unknown>>
  upstreams?: readonly UpstreamDefinition[]
}
