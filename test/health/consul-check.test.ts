import Fastify from 'fastify'
import t from 'tap'
import { consulCheckHeader } from '../../lib/check-header.ts'
import type { HealthStatus } from '../../lib/health/check.ts'
import { startConsul } from '../support/consul.ts'
import { until } from '../support/wait.ts'
import { healthApp } from './health-app.ts'

interface Check { ServiceID: string, Status: string, Output: string }

t.test('a real Consul sees healthy, degraded and unhealthy as passing, warning and critical', async t => {
  const app = Fastify()
  app.addHook('onRequest', async (request, reply) => {
    if (request.headers.authorization !== 'Bearer probe') return reply.code(401).send({ error: 'who are you?' })
  })
  let status: HealthStatus = 'healthy'
  await healthApp(t, { app, checks: [{ name: 'database', run: () => ({ status, message: `at ${Date.now()}` }) }] })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const consul = await startConsul(t)

  const register = (id: string, Header: Record<string, string[]>): Promise<unknown> =>
    consul.api('PUT', '/v1/agent/service/register', {
      ID: id, Name: 'app', Check: { HTTP: `${url}/health/ready`, Method: 'GET', Interval: '1s', Header }
    })
  const checkOf = async (id: string): Promise<Check | undefined> => {
    const { json } = await consul.api<Record<string, Check>>('GET', '/v1/agent/checks')
    return Object.values(json).find(({ ServiceID }) => ServiceID === id)
  }
  await register('app', { [consulCheckHeader.name]: [consulCheckHeader.value], Authorization: ['Bearer probe'] })
  await register('stranger', { [consulCheckHeader.name]: [consulCheckHeader.value] })

  const expected: Array<[HealthStatus, string, RegExp]> = [
    ['degraded', 'warning', /429 .*{"status":"degraded","checks":{"database":{"status":"degraded"}}}/],
    ['healthy', 'passing', /200 .*{"status":"healthy","checks":{"database":{"status":"healthy"}}}/],
    ['unhealthy', 'critical', /503 .*{"status":"unhealthy","checks":{"database":{"status":"unhealthy"}}}/]
  ]
  for (const [next, inConsul, output] of expected) {
    status = next
    await until(async () => {
      const check = await checkOf('app')
      return check?.Status === inConsul && output.test(check.Output)
    }, { what: `${inConsul} in Consul`, interval: 50 })
  }
  t.match(await checkOf('stranger'), { Status: 'critical', Output: /401/ })
})
