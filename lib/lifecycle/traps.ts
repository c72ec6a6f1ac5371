import { networkInterfaces } from 'node:os'
import type { ConsulClient } from '../consul/client.ts'
import type { Logger } from '../logger.ts'
import { isLoopback } from '../loopback.ts'
import { checkTypeOf, type DefinitionParts } from './definition.ts'

/** The label of a host name: https://www.rfc-editor.org/rfc/rfc1123#section-2 */
const dnsLabel = /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/i

/** Says what will surprise whoever wonders later why the service is not found, or not healthy. */
export async function tellOfTraps (
  parts: DefinitionParts, client: Pick<ConsulClient, 'agentSelf'>, logger: Logger
): Promise<void> {
  const { service, check, published: { address, unreachable } } = parts
  if (unreachable) {
    logger.warn({ address }, 'Other machines cannot reach the service at the address that is registered: ' +
      'listen on another one, or set service.address (SERVICE_ADDRESS)')
  }
  if (!dnsLabel.test(service.name)) {
    logger.warn({ service: service.name }, 'The service name is no DNS label: Consul\'s DNS will not find it')
  }
  const type = checkTypeOf(parts)
  if (type !== check.type) logger.info('Consul\'s http check speaks no HTTP/2: a tcp check is registered')
  if (type === 'tcp' || type === 'grpc') logger.info({ type }, 'A check of this type cannot tell degraded from healthy')
  if ((address === '' || isLoopback(address)) && !unreachable && await isElsewhere(client)) {
    logger.warn('The agent answers on loopback but is none of this machine\'s addresses, as in a container: ' +
      'set service.address (SERVICE_ADDRESS) to an address at which it can reach this service')
  }
}

/** Whether the agent, reached over loopback, has an address that is not of this machine. */
async function isElsewhere (client: Pick<ConsulClient, 'agentSelf'>): Promise<boolean> {
  try {
    const { Member: { Addr: address } } = await client.agentSelf()
    const own = Object.values(networkInterfaces()).flatMap(each => each ?? []).map(each => each.address)
    return !isLoopback(address) && !own.includes(address)
  } catch {
    return false // The token may lack agent:read.
  }
}
