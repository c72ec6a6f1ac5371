import type { ConsulAgent } from '../support/consul.ts'
import { eachBlock, type Tester } from './tester.ts'

const resources = [
  'acl', 'agent', 'event', 'key', 'keyring', 'mesh', 'node', 'operator', 'peering', 'query', 'service', 'session'
]
const ofPolicies = new Set(resources.flatMap(name => [name, `${name}_prefix`]))
const ofJobs = new Set(['job', 'group', 'task'])

/**
 * An ACL policy is written to Consul. A part of a Nomad job is only parsed, by Consul's parser of the same language,
 * which passes over blocks that it does not know.
 */
export function hcl (consul: Pick<ConsulAgent, 'api'>): Tester {
  return eachBlock(async ({ page, line, text }) => {
    const blocks = text.match(/^\w+/gm) ?? []
    const isKnown = [ofPolicies, ofJobs].some(known => blocks.every(name => known.has(name)))
    if (!isKnown) return ['nothing tests this kind of hcl']
    const policy = { Name: `${page}-${line}`.replaceAll(/\W/g, '-'), Rules: text }
    const answer = await consul.api('PUT', '/v1/acl/policy', policy)
    return answer.status === 200 ? [] : [answer.text]
  })
}
