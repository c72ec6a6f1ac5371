import type { ConsulApi } from '../../support/consul-api.ts'

/** Instances of a node that no agent keeps: they are in the catalog alone, and are put there many at a time. */
export interface CatalogInstance {
  name: string
  id: string
  address?: string
  port: number
  status?: 'passing' | 'critical'
}

/** As many operations as Consul takes in one transaction. */
const most = 64
const node = 'elsewhere'

export async function addInstances (api: ConsulApi, instances: readonly CatalogInstance[]): Promise<void> {
  await api('PUT', '/v1/catalog/register', { Node: node, Address: '127.0.0.1' })
  for (let from = 0; from < instances.length; from += most / 2) {
    const operations = instances.slice(from, from + most / 2).flatMap(operationsOf)
    const { status, text } = await api('PUT', '/v1/txn', operations)
    if (status !== 200) throw new Error(`Consul refuses instances: ${text}`)
  }
}

/** Gives one of them another status. */
export async function setStatus (api: ConsulApi, instance: CatalogInstance): Promise<void> {
  const { status, text } = await api('PUT', '/v1/txn', [checkOf(instance)])
  if (status !== 200) throw new Error(`Consul refuses a check: ${text}`)
}

function operationsOf (instance: CatalogInstance): object[] {
  const { name, id, address = '127.0.0.1', port } = instance
  const service = {
    ID: id, Service: name, Address: address, Port: port, Tags: ['v1', 'blue'], Meta: { version: '1.2.3', zone: 'a' }
  }
  return [{ Service: { Verb: 'set', Node: node, Service: service } }, checkOf(instance)]
}

function checkOf ({ name, id, status = 'passing' }: CatalogInstance): object {
  const check = {
    Node: node,
    CheckID: `service:${id}`,
    Name: `Check of ${name}`,
    Status: status,
    Output: 'HTTP GET http://127.0.0.1/health/ready: 200 OK Output: {"status":"healthy"}',
    ServiceID: id
  }
  return { Check: { Verb: 'set', Check: check } }
}
