import type { CheckStatus } from '../consul/wire.ts'
import { isStatus } from './check-body.ts'
import { Fields } from './fields.ts'
import { badRequest, Refusal, unknownCheck } from './refusal.ts'
import type { Reply, Route } from './route.ts'
import type { Services } from './services.ts'

/** What keeps a TTL check alive. */
export function ttlRoutes (services: Services): Route[] {
  const short = { pass: 'passing', warn: 'warning', fail: 'critical' } as const
  return [{
    method: 'PUT',
    path: '/v1/agent/check/update/',
    answer: ({ rest: id, body }) => {
      const fields = new Fields(body, ['Status', 'Output'])
      const status = fields.text('Status')
      if (!isStatus(status)) throw badRequest(`Invalid check status: '${status}'`)
      return update(id, status, fields.text('Output'))
    }
  }, ...Object.entries(short).map(([verb, status]): Route => ({
    method: 'PUT',
    path: `/v1/agent/check/${verb}/`,
    answer: ({ rest: id, query }) => update(id, status, query.get('note') ?? '')
  }))]

  function update (id: string, status: CheckStatus, output: string): Reply {
    const check = services.checks.get(id)
    if (check === undefined) throw unknownCheck(id)
    if (check.definition.probe?.type !== 'ttl') {
      throw new Refusal(500, `CheckID "${id}" does not have associated TTL`)
    }
    services.checks.heartbeat(check, status, output)
    return {}
  }
}
