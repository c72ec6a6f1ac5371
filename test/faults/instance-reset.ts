import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { startConsul } from '../support/consul.ts'
import { startProxy, type Proxy } from '../support/proxy.ts'
import type { Fault } from './fault.ts'
import { attempts, idsOf, listed, service, startFleet, twice, type Instance } from './support/fleet.ts'
import { now } from './support/monotonic.ts'
import { failed, failuresOf, totals, verdict } from './support/verdict.ts'

const resetting = 3000
/** How long nothing may fail any more. */
const afterwards = 2000

export const fault: Fault = {
  name: 'instance-reset',
  done: 'for 3 s every connection to one of 3 instances is reset in the middle of the body of an answer',
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
    const [broken] = fleet.instances as [Instance]
    const proxy = proxies.find(({ port }) => port === broken.port) as Proxy
    const limit = await bytesOfAnswer(broken.port) - 5
    await fleet.caller.load({ service, rate: { get: 50, post: 50 } })
    await listed(fleet, idsOf(fleet), 0)

    proxy.limit(limit)
    await delay(resetting)
    proxy.limit(Infinity)
    proxy.cut()
    const ended = now()
    await delay(afterwards)

    const report = await fleet.caller.stop()
    const { requests, errors } = totals(report)
    // Of one request more the caller knows nothing: that of which the bytes were counted.
    const more = attempts(fleet) - 1 - requests
    return {
      requests,
      errors,
      attempts: attempts(fleet) - 1,
      recover: Math.max(0, ...failuresOf(report).map(({ at }) => at - ended)),
      ...verdict(
        failed('calls to other instances', failuresOf(report).filter(({ sentTo }) => sentTo !== broken.port)),
        failed('calls afterwards', failuresOf(report).filter(({ at }) => at > ended)),
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
