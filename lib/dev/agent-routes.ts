import { agentCheckOf, agentServiceOf, hashOf, type Node } from './answers.ts'
import { indexOf, untilNews, waitOf, type BlockingParts } from './blocking.ts'
import { maintain } from './maintenance.ts'
import { localHealth } from './local-health.ts'
import { notSupported, Refusal, unknownCheck, unknownService } from './refusal.ts'
import type { Reply, Route } from './route.ts'
import { registrationFrom } from './service-body.ts'
import { ttlRoutes } from './ttl-routes.ts'

export interface RouteParts extends BlockingParts {
  readonly node: Node
}

/** `/v1/agent`: what an agent knows of its own services. */
export function agentRoutes (parts: RouteParts): Route[] {
  const { services, node } = parts
  const self = {
    Config: { Datacenter: node.datacenter, NodeName: node.name, Server: true, Version: '0.0.0-fastify-consul-dev' },
    Member: { Name: node.name, Addr: node.address }
  }
  return [{
    method: 'GET',
    path: '/v1/agent/self',
    answer: () => ({ body: self })
  }, {
    method: 'PUT',
    path: '/v1/agent/service/register',
    answer: ({ query, body }) => {
      const { service, checks } = registrationFrom(body)
      const replace = query.get('replace-existing-checks')
      services.register(service, checks, replace === '' || replace === 'true')
      return {}
    }
  }, {
    method: 'PUT',
    path: '/v1/agent/service/deregister/',
    answer: ({ rest: id }) => {
      if (services.deregister(id)) return {}
      throw unknownService(id)
    }
  }, {
    method: 'PUT',
    path: '/v1/agent/service/maintenance/',
    answer: ({ rest: id, query }) => maintain(services, id, query)
  }, {
    method: 'GET',
    path: '/v1/agent/service/',
    answer: async ({ rest: id, query, gone }) => await serviceOf(id, query, gone)
  }, {
    method: 'GET',
    path: '/v1/agent/checks',
    answer: ({ query }) => ({
      body: Object.fromEntries(services.checks.all()
        .filter(isOfService(query.get('filter') ?? ''))
        .map(check => [check.definition.id, agentCheckOf(check, services, node)]))
    })
  }, {
    method: 'PUT',
    path: '/v1/agent/check/deregister/',
    answer: ({ rest: id }) => {
      if (services.deregisterCheck(id)) return {}
      throw unknownCheck(id)
    }
  }, {
    method: 'GET',
    path: '/v1/agent/health/service/name/',
    answer: ({ rest: name }) => localHealth(services, name, node)
  }, ...ttlRoutes(services)]

  async function serviceOf (id: string, query: URLSearchParams, gone: AbortSignal): Promise<Reply> {
    const hash = query.get('hash') ?? ''
    const wait = waitOf(query)
    indexOf(query)
    const present = (): string | undefined => {
      const service = services.get(id)
      return service === undefined ? undefined : hashOf(service)
    }
    if (hash !== '') await untilNews(() => present() !== hash, wait, parts, gone)
    const service = services.get(id)
    if (service === undefined) throw new Refusal(404, `unknown service ID: ${id}`)
    const contentHash = hashOf(service)
    return {
      headers: { 'x-consul-contenthash': contentHash },
      body: { ...agentServiceOf(service), ContentHash: contentHash }
    }
  }
}

function isOfService (filter: string): (check: { serviceId: string }) => boolean {
  if (filter === '') return () => true
  const id = /^ServiceID == "([^"]*)"$/.exec(filter)?.[1]
  if (id === undefined) throw notSupported('A filter other than ServiceID == "…"')
  return ({ serviceId }) => serviceId === id
}
