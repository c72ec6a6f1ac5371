import { setTimeout as delay } from 'node:timers/promises'
import { startConsul } from '../support/consul.ts'
import { startCountingProxy } from '../support/counting-proxy.ts'
import type { Fault } from './fault.ts'
import { measureArrival } from './support/arrival.ts'
import { startCaller } from './support/caller.ts'
import { verdict } from './support/verdict.ts'

/** Registrations and deregistrations of other services. */
const perSecond = 100
/** Seconds. */
const lasts = 10
const queriesPerSecond = 6
/** The answer that there is no such service counts for 5 s. Milliseconds. */
const arrivesWithin = 5500
const watchedArrivesWithin = 500

export const fault: Fault = {
  name: 'unknown-service',
  done: 'an unknown service that is asked for all the time, and one that is preloaded, while others are registered ' +
    `and deregistered ${perSecond} times a second, for ${lasts} s`,
  promise: `at most ${queriesPerSecond} queries a second for each; once it exists, the preloaded one is found within ` +
    `${watchedArrivesWithin} ms and the other within ${arrivesWithin / 1000} s`,

  async run (t) {
    const { api, url } = await startConsul(t)
    const proxy = await startCountingProxy(t, url)
    const caller = startCaller(t, proxy.url, { discovery: { preload: ['preloaded'] } })
    caller.preload()
    const asked = (name: string): number => proxy.count(`/v1/health/service/${name}`)
    const [asking, churning] = [new AbortController(), new AbortController()]
    t.teardown(() => [asking, churning].forEach(controller => controller.abort()))
    const traffic = [ask(), churn()]
    await delay(1000)
    const before = { asked: asked('asked'), preloaded: asked('preloaded') }
    await delay(lasts * 1000)
    const rates = {
      asked: (asked('asked') - before.asked) / lasts,
      preloaded: (asked('preloaded') - before.preloaded) / lasts
    }
    const preloaded = await measureArrival(caller, 'preloaded', () => register('preloaded'))
    const unknown = await measureArrival(caller, 'asked', () => register('asked'))
    asking.abort()
    churning.abort()
    await Promise.all(traffic)
    const queries = Math.round((rates.asked + rates.preloaded) * lasts)
    return {
      detect: preloaded,
      queries,
      note: `${rates.asked.toFixed(1)} queries a second for the one that is asked for, found after ` +
        `${(unknown / 1000).toFixed(1)} s; ${rates.preloaded.toFixed(1)} for the preloaded one`,
      ...verdict(
        Math.max(rates.asked, rates.preloaded) > queriesPerSecond && 'too many queries',
        preloaded > watchedArrivesWithin && 'the preloaded one was found late',
        unknown > arrivesWithin && 'the one that is asked for was found late'
      )
    }

    async function register (name: string): Promise<void> {
      await api('PUT', '/v1/agent/service/register', { Name: name, ID: name, Address: '127.0.0.1', Port: 1 })
    }

    async function ask (): Promise<void> {
      while (!asking.signal.aborted) {
        await caller.discover('asked')
        await delay(10)
      }
    }

    /** The end of a service wakes every query for one that does not exist. */
    async function churn (): Promise<void> {
      const began = performance.now()
      for (let turn = 0; !churning.signal.aborted; turn++) {
        const name = `other-${turn >> 1}`
        await (turn % 2 === 0 ? register(name) : api('PUT', `/v1/agent/service/deregister/${name}`))
        await delay(Math.max(0, began + turn * 1000 / perSecond - performance.now()))
      }
    }
  }
}
