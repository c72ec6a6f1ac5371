import { domainToUnicode } from 'node:url'

/** A service that a URL names. */
export interface Target {
  readonly service: string
  readonly tag: string | undefined
  readonly datacenter: string | undefined
}

/**
 * The service that a URL is about, or `undefined` if it is about an ordinary host.
 *
 * `http://name/` is a service: a host without a dot. So is Consul's DNS form,
 * `http://[tag.]name.service[.datacenter].consul/`, where a tag may hold dots. `localhost` and the names below it,
 * addresses, a port other than the scheme's default, and every other host are not.
 */
export function targetOf ({ protocol, hostname, port }: URL): Target | undefined {
  if ((protocol !== 'http:' && protocol !== 'https:') || port !== '' || hostname.startsWith('[')) return undefined
  // A name of another script arrives in its ASCII form, while Consul holds the name itself.
  const host = hostname.includes('xn--') ? domainToUnicode(hostname) : hostname
  if (host === 'localhost') return undefined
  return host.includes('.') ? dnsTarget(host) : { service: host, tag: undefined, datacenter: undefined }
}

function dnsTarget (host: string): Target | undefined {
  const labels = host.replace(/\.$/, '').split('.')
  if (labels.includes('') || labels.pop() !== 'consul') return undefined
  const datacenter = labels.at(-1) === 'service' ? undefined : labels.pop()
  if (labels.pop() !== 'service') return undefined
  const service = labels.pop()
  return service === undefined ? undefined : { service, tag: labels.join('.') || undefined, datacenter }
}
