import type { Test } from 'tap'
import type { Agent } from './agent.ts'

export async function maintenance (t: Test, agent: Agent): Promise<void> {
  t.test('maintenance is a critical check with the reason', async t => {
    await agent.register({ ID: 'm-1', Name: 'm' })
    const { status } = await agent.maintenance('m-1', 'enable=true&reason=new%20disk')
    t.equal(status, 200)
    t.strictSame((await agent.health('m')).entries[0]?.checks, {
      '_service_maintenance:m-1': {
        CheckID: '_service_maintenance:m-1',
        Name: 'Service Maintenance Mode',
        Status: 'critical',
        Output: '',
        Notes: 'new disk',
        ServiceID: 'm-1',
        Type: 'maintenance'
      }
    })
    await agent.maintenance('m-1', 'enable=true&reason=other')
    t.match(await agent.check('_service_maintenance:m-1'), { Notes: 'new disk' }, 'the first reason stays')
    t.equal((await agent.maintenance('m-1', 'enable=false')).status, 200)
    t.strictSame((await agent.health('m')).entries[0]?.checks, {})
    t.equal((await agent.maintenance('m-1', 'enable=false')).status, 200)
  })

  t.test('maintenance without a reason says so', async t => {
    await agent.register({ Name: 'no-reason' })
    await agent.maintenance('no-reason', 'enable=1')
    t.match(await agent.check('_service_maintenance:no-reason'), { Notes: /no reason was provided/ })
  })

  t.test('a maintenance that was registered as a check is ended like any other', async t => {
    await agent.register({
      Name: 'm-check',
      Checks: [{ CheckID: '_service_maintenance:m-check', Notes: 'mine', TTL: '87600h', Status: 'critical' }]
    })
    await agent.maintenance('m-check', 'enable=true&reason=other')
    t.match(await agent.check('_service_maintenance:m-check'), { Notes: 'mine', Type: 'ttl' })
    await agent.maintenance('m-check', 'enable=false')
    t.equal(await agent.check('_service_maintenance:m-check'), undefined)
  })

  t.test('maintenance is refused', async t => {
    await agent.register({ Name: 'm-refused' })
    t.match(await agent.maintenance('m-refused', ''), { status: 400, text: 'Missing value for enable' })
    t.match(await agent.maintenance('m-refused', 'enable=maybe'), { status: 400, text: /^Invalid value for enable/ })
    t.equal((await agent.maintenance('nobody', 'enable=true')).status, 404)
  })
}
