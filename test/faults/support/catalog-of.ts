import type { ConsulAgent } from '../../support/consul.ts'

interface Entry {
  Node: { Node: string }
  Service: { ID: string }
  Checks: Array<{ CheckID: string, ServiceID: string, Status: string }>
}

/** The ids of a service's instances of which the catalog has a check, and none that does not pass. */
export async function inCatalog ({ api }: ConsulAgent, name: string): Promise<string[]> {
  const { json } = await api<Entry[]>('GET', `/v1/health/service/${name}`)
  return json
    .filter(({ Checks: checks }) => checks.some(({ ServiceID: id }) => id !== ''))
    .filter(({ Checks: checks }) => checks.every(({ Status: status }) => status === 'passing'))
    .map(({ Service: { ID: id } }) => id)
    .sort()
}

/** Where the catalog has an instance: its node, and the id of its check. */
export async function placeOf (
  { api }: ConsulAgent, name: string, id: string
): Promise<{ node: string, check: string }> {
  const { json } = await api<Entry[]>('GET', `/v1/health/service/${name}`)
  const entry = json.find(({ Service: service }) => service.ID === id)
  const check = entry?.Checks.find(({ ServiceID: of }) => of === id)
  if (entry === undefined || check === undefined) throw new Error(`no check of ${id}`)
  return { node: entry.Node.Node, check: check.CheckID }
}
