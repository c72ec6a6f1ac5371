import { once } from 'node:events'
import { connect } from 'node:net'
import { startConsul } from '../support/consul.ts'
import { startProxy, type Proxy } from '../support/proxy.ts'
import type { Fault } from './fault.ts'
import { attempts, idsOf, listed, service, startFleet, twice, type Instance } from './support/fleet.ts'
import { now } from './support/monotonic.ts'
import { failed, failuresOf, totals, verdict } from './support/verdict.ts'

export const fault: Fault = {
  name: 'instance-reset',
  done: 'every connection to one of 3 instances is reset in the middle of the body of an answer, until its check fails',
  promise: 'callers get the error of an answer that has begun: it is never asked for again; other calls do not fail',
  async run (t) {
    const { url } = await startConsul(t)
    const proxies: Proxy[] = []
    const fleet = await startFleet(t, {
      url,
      front: async port => {
        const proxy = await startProxy(t, { host: '127.0.0.1', port })
        proxies.push(proxy)
        return proxy.port
      }
    })
    const [broken, ...others] = fleet.instances as [Instance, ...Instance[]]
    const proxy = proxies.find(({ port }) => port === broken.port) as Proxy
    const limit = await bytesOfAnswer(broken.port) - 5
    await fleet.caller.load({ service, rate: { get: 50, post: 50 } })
    await listed(fleet, idsOf(fleet), 0)

    const began = now()
    proxy.limit(limit)
    const detect = await listed(fleet, others.map(({ id }) => id), began) - began
    proxy.limit(Infinity)
    proxy.reset()
    const ended = now()
    const recover = await listed(fleet, idsOf(fleet), ended) - ended

    const report = await fleet.caller.stop()
    const { requests, errors } = totals(report)
    // Of one request more the caller knows nothing: that of which the bytes were counted.
    const more = attempts(fleet) - 1 - requests
    return {
      requests,
      errors,
      attempts: attempts(fleet) - 1,
      detect,
      recover,
      note: 'detected: out of the list, by Consul\'s check every second',
      ...verdict(
        failed('calls to other instances', failuresOf(report).filter(({ sentTo }) => sentTo !== broken.port)),
        twice(fleet),
        more > 0 && `${more} answers were asked for again`)
    }
  }
}

/** How long an answer is, headers and all. */
async function bytesOfAnswer (port: number): Promise<number> {
  const socket = connect(port, '127.0.0.1')
  socket.end('GET /work?id=0 HTTP/1.1\r\nhost: worker\r\nconnection: keep-alive\r\n\r\n')
  let bytes = 0
  socket.on('data', (chunk: Buffer) => { bytes += chunk.length })
  await once(socket, 'end')
  return bytes
}
