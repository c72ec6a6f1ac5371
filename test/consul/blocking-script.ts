import { ConsulClient } from '../../lib/consul/client.ts'

// Nothing but the query keeps this process alive, and after it nothing does.
const client = new ConsulClient()
const { index } = await client.health('nobody')
await client.health('nobody', { index, wait: 500 })
console.log('answered')
