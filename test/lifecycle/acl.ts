import type { ConsulAgent } from '../support/consul.ts'

type Agent = Pick<ConsulAgent, 'api'>

/** Makes a policy of this name, or changes it. */
export async function setPolicy ({ api }: Agent, name: string, rules: string): Promise<void> {
  const policies = (await api<{ ID: string, Name: string }[]>('GET', '/v1/acl/policies')).json
  const id = policies.find(policy => policy.Name === name)?.ID
  const { status, text } = await api('PUT', id === undefined ? '/v1/acl/policy' : `/v1/acl/policy/${id}`, {
    ...(id !== undefined && { ID: id }), Name: name, Rules: rules
  })
  if (status !== 200) throw new Error(text)
}

export interface IssuedToken {
  token: string
  revoke: () => Promise<void>
}

/** A new token with this policy. */
export async function issueToken ({ api }: Agent, policy: string): Promise<IssuedToken> {
  const body = { Policies: [{ Name: policy }] }
  const { status, text, json } = await api<{ SecretID: string, AccessorID: string }>('PUT', '/v1/acl/token', body)
  if (status !== 200) throw new Error(text)
  return {
    token: json.SecretID,
    revoke: async () => { await api('DELETE', `/v1/acl/token/${json.AccessorID}`) }
  }
}
