import t from 'tap'
import { anyConsul } from './any-consul.ts'

t.test('whichever Consul is at hand has a leader and takes a service', async t => {
  const { api } = await anyConsul(t)
  const id = `anywhere-${process.pid}`
  await api('PUT', '/v1/agent/service/register', { ID: id, Name: 'anywhere' })
  t.teardown(() => api('PUT', `/v1/agent/service/deregister/${id}`))
  const { json } = await api<Array<{ ServiceID: string }>>('GET', '/v1/catalog/service/anywhere?consistent')
  t.ok(json.some(({ ServiceID }) => ServiceID === id))
})
