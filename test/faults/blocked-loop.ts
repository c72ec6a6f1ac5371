import { setTimeout as delay } from 'node:timers/promises'
import { startConsul } from '../support/consul.ts'
import { until } from '../support/wait.ts'
import type { Fault } from './fault.ts'
import type { BlockedCallerFigures } from './subjects/blocked-caller.ts'
import { startBackends, type Backend } from './support/backends.ts'
import { startSubject } from './support/subject.ts'
import { verdict } from './support/verdict.ts'

/** Milliseconds. */
const block = 2000
/** Limit of an attempt: shorter than the fault. Milliseconds. */
const timeout = 1000
const name = 'called'

export const fault: Fault = {
  name: 'blocked-loop',
  done: `the event loop of a caller stands still for ${block / 1000} s, twice, at 200 requests a second, half of ` +
    `them POST; its calls have a limit of ${timeout / 1000} s`,
  promise: '0 failed calls; the caller stays registered and healthy; afterwards every instance gets its share',

  async run (t) {
    const { api, url } = await startConsul(t)
    const backends = await startBackends(t, 3, 20)
    for (const { port } of backends) {
      const instance = { Name: name, ID: `${name}-${port}`, Address: '127.0.0.1', Port: port }
      await api('PUT', '/v1/agent/service/register', instance)
    }
    const settings = { url, name, port: 1, block, timeout }
    const subject = await startSubject<BlockedCallerFigures>(t, 'blocked-caller', settings)
    const health = await watchHealth()
    for (let round = 0; round < 2; round++) {
      await delay(1500)
      subject.script.signal('SIGUSR1')
      await delay(block + 500)
    }
    await delay(1000)
    const before = backends.map(({ requests }) => requests)
    await delay(3000)
    const shares = backends.map(({ requests }, index) => requests - (before[index] as number))
    const { requests, errors, failure } = await subject.figures()
    const worst = health.end()
    const attempts = backends.reduce((sum, backend: Backend) => sum + backend.requests, 0)
    return {
      requests,
      errors,
      attempts,
      note: `requests of the three instances in 3 s afterwards: ${shares.join(', ')}`,
      ...verdict(
        errors > 0 && `${errors} calls failed (${failure})`,
        worst !== 'passing' && `the caller was ${worst} in between`,
        Math.min(...shares) < Math.max(...shares) * 0.8 && 'an instance got less than its share'
      )
    }

    /** The worst that Consul says of the caller. */
    async function watchHealth (): Promise<{ end: () => string }> {
      let worst = 'passing'
      const look = async (): Promise<string> => {
        const { json } = await api<Array<{ Status: string }>>('GET', '/v1/health/checks/blocked')
        return json[0]?.Status ?? 'gone'
      }
      await until(async () => await look() === 'passing')
      const timer = setInterval(() => {
        look().then(status => { if (status !== 'passing') worst = status }, () => {})
      }, 100)
      t.teardown(() => clearInterval(timer))
      return {
        end () {
          clearInterval(timer)
          return worst
        }
      }
    }
  }
}
