import { isIPv6 } from 'node:net'

/** An address and a port as URLs and Consul's checks write them. */
export function hostPort (address: string, port: number): string {
  return `${isIPv6(address) ? `[${address}]` : address}:${port}`
}
