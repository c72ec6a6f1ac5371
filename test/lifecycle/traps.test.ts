import t from 'tap'
import { tellOfTraps } from '../../lib/lifecycle/traps.ts'
import { resolveOptions } from '../../lib/options/resolve.ts'
import { collectingLogger } from '../health/collecting-logger.ts'
import { messages } from './app.ts'

interface Given {
  name?: string
  type?: 'http' | 'tcp' | 'grpc' | 'ttl'
  http1?: boolean
  address?: string
  unreachable?: boolean
  /** The agent's own address; without one it may not be asked. */
  agent?: string
}

async function told (given: Given): Promise<string[]> {
  const { name = 'l02', type = 'http', http1 = true, address = '10.0.0.1', unreachable = false, agent } = given
  const { service, check } = resolveOptions({ service: { name }, check: { type } }, { environment: {} })
  if (!service) throw new Error('no service')
  const { logger, lines } = collectingLogger()
  await tellOfTraps({
    id: 'l02',
    service,
    check,
    listener: { host: address, port: 80, scheme: 'http', http1 },
    published: { address, checkHost: address, unreachable },
    readyPath: '/health/ready'
  }, {
    async agentSelf () {
      if (agent === undefined) throw new Error('forbidden')
      return { Config: { Datacenter: 'dc1', NodeName: 'a', Version: '1' }, Member: { Name: 'a', Addr: agent } }
    }
  }, logger)
  return messages(lines)
}

const container = 'The agent answers on loopback but is none of this machine\'s addresses, as in a container: ' +
  'set service.address (SERVICE_ADDRESS) to an address at which it can reach this service'
const noDegraded = 'A check of this type cannot tell degraded from healthy'

const table: Record<string, [given: Given, lines: string[]]> = {
  'no trap, no line': [{}, []],
  'an address that others cannot reach': [{ address: '127.0.0.1', unreachable: true, agent: '10.0.0.9' }, [
    'Other machines cannot reach the service at the address that is registered: ' +
    'listen on another one, or set service.address (SERVICE_ADDRESS)'
  ]],
  'a name that DNS cannot find': [
    { name: 'l02_runtime' }, ['The service name is no DNS label: Consul\'s DNS will not find it']],
  'a label of 64 characters': [
    { name: 'a'.repeat(64) }, ['The service name is no DNS label: Consul\'s DNS will not find it']],
  'a label of 63': [{ name: 'a'.repeat(63) }, []],
  'an http check of an HTTP/2 server': [
    { http1: false }, ['Consul\'s http check speaks no HTTP/2: a tcp check is registered', noDegraded]],
  'a tcp check': [{ type: 'tcp' }, [noDegraded]],
  'a grpc check': [{ type: 'grpc', http1: false }, [noDegraded]],
  'a ttl check': [{ type: 'ttl' }, []],
  'an agent in a container': [{ address: '', agent: '198.51.100.7' }, [container]],
  'an agent in a container, and bound to loopback': [{ address: '127.0.0.1', agent: '198.51.100.7' }, [container]],
  'an agent on this machine': [{ address: '', agent: '127.0.0.1' }, []],
  'an agent that may not be asked': [{ address: '' }, []]
}

for (const [name, [given, lines]] of Object.entries(table)) {
  t.test(name, async t => { t.same(await told(given), lines) })
}
