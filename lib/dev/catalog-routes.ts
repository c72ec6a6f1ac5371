import type { RouteParts } from './agent-routes.ts'
import { catalogEntryOf, healthEntryOf } from './answers.ts'
import { indexOf, untilNews, waitOf } from './blocking.ts'
import type { Check, Service } from './records.ts'
import { badRequest, notSupported, Refusal } from './refusal.ts'
import type { Question, Reply, Route } from './route.ts'

/** What all agents know together: here the one. */
export function catalogRoutes (parts: RouteParts): Route[] {
  const { services, node } = parts
  return [{
    method: 'GET',
    path: '/v1/health/service/',
    answer: async question => {
      const { rest: name, query } = question
      if (name === '') throw badRequest('Missing service name')
      return await read(question, () => services.indexes.of(name), () => services.named(name)
        .filter(hasTags(query.getAll('tag')))
        .filter(({ id }) => !isOnlyPassing(query) || services.checks.of(id).every(isPassing))
        .map(service => healthEntryOf(service, services, node)))
    }
  }, {
    method: 'GET',
    path: '/v1/catalog/services',
    answer: async question => await read(question, () => services.indexes.catalog, () => {
      const tags = new Map<string, Set<string>>()
      for (const service of services.all()) {
        tags.set(service.name, new Set([...tags.get(service.name) ?? [], ...service.tags]))
      }
      return Object.fromEntries([...tags].map(([name, all]) => [name, [...all]]))
    })
  }, {
    method: 'GET',
    path: '/v1/catalog/service/',
    answer: async question => {
      const { rest: name, query } = question
      if (name === '') throw badRequest('Missing service name')
      if (indexOf(query) > 0n) throw notSupported('A blocking query of /v1/catalog/service')
      return await read(question, () => services.indexes.of(name), () => services.named(name)
        .filter(hasTags(query.getAll('tag')))
        .map(service => catalogEntryOf(service, node)))
    }
  }]

  async function read ({ query, gone }: Question, index: () => number, body: () => unknown): Promise<Reply> {
    const consistency = consistencyOf(query)
    const wait = waitOf(query)
    const from = indexOf(query)
    const datacenter = query.get('dc') ?? node.datacenter
    if (datacenter !== node.datacenter && datacenter !== '') throw noPath
    for (const name of ['filter', 'ns', 'partition', 'node-meta', 'cached', 'peer', 'sg', 'merge-central-config']) {
      if (query.has(name)) throw notSupported(`The parameter ${name}`)
    }
    if (from > 0n) await untilNews(() => BigInt(index()) > from, wait, parts, gone)
    return {
      headers: {
        'x-consul-effective-consistency': consistency,
        'x-consul-index': String(index()),
        'x-consul-knownleader': 'true',
        'x-consul-lastcontact': '0'
      },
      body: body()
    }
  }
}

const noPath = new Refusal(500, 'No path to datacenter', {
  'x-consul-index': '1', 'x-consul-knownleader': 'false', 'x-consul-lastcontact': '0'
})

const isPassing = ({ status }: Check): boolean => status === 'passing'

/** A parameter without a value is on. */
const isOnlyPassing = (query: URLSearchParams): boolean => query.has('passing') && query.get('passing') !== 'false'

/** Tags are compared without regard to case. */
function hasTags (wanted: readonly string[]): (service: Service) => boolean {
  return ({ tags }) => {
    const own = new Set(tags.map(tag => tag.toLowerCase()))
    return wanted.every(tag => own.has(tag.toLowerCase()))
  }
}

function consistencyOf (query: URLSearchParams): 'stale' | 'consistent' | 'leader' {
  const [stale, consistent] = [query.has('stale'), query.has('consistent')]
  if (stale && consistent) throw badRequest('Cannot specify ?stale with ?consistent, conflicting semantics.')
  if (stale) return 'stale'
  return consistent ? 'consistent' : 'leader'
}
