import type { FastifyReply } from 'fastify'
import t, { type Test } from 'tap'
import { request, type Response } from 'undici'
import { listeningApp } from './lifecycle/app.ts'
import { freePort } from './support/ports.ts'

const requests = 200
const layers = 4
const instances = 2

type PassOn = (reply: FastifyReply, response: Response) => unknown

interface Service {
  urls: string[]
  /** How many requests all its instances got. */
  received: () => number
}

/** One layer: instances that do nothing but call the service below. */
async function startLayer (t: Test, below: readonly string[], passOn: PassOn): Promise<Service> {
  let received = 0
  const apps = await Promise.all(Array.from({ length: instances }, () => listeningApp(t, {
    mode: 'static',
    service: false,
    health: false,
    underPressure: false,
    fallback: { below },
    calls: { retryBudget: { ratio: 0.2, perSecond: 0 } },
    routes (app) {
      app.get('/call', async (_, reply) => {
        received++
        return passOn(reply, await app.fetch('http://below/call'))
      })
    }
  })))
  return { urls: apps.map(({ url }) => url), received: () => received }
}

/** Calls through four layers, the lowest of which calls `bottom`. Resolves to what each got, and the last answer. */
async function callThrough (t: Test, bottom: readonly string[], passOn: PassOn) {
  const services: Service[] = []
  for (let layer = 0; layer < layers; layer++) {
    services.unshift(await startLayer(t, services[0]?.urls ?? bottom, passOn))
  }
  const urls = services[0]!.urls
  const statuses = new Set<number>()
  for (let sent = 0; sent < requests; sent++) {
    const { statusCode, body } = await request(`${urls[sent % instances]}/call`)
    await body.dump()
    statuses.add(statusCode)
  }
  return { received: services.map(({ received }) => received()), statuses: [...statuses] }
}

const withHeaders: PassOn = (reply, { status, headers, body }) =>
  reply.code(status).headers(Object.fromEntries(headers)).send(body)

const statusOnly: PassOn = async (reply, response) => {
  await response.arrayBuffer()
  return await reply.code(response.status).send()
}

t.test('when nobody is left at the bottom, every layer is asked once a request', async t => {
  const dead = await Promise.all([freePort(), freePort()])
  const { received, statuses } = await callThrough(t, dead.map(port => `http://127.0.0.1:${port}`), withHeaders)
  t.same(statuses, [503])
  t.same(received, new Array(layers).fill(requests))
})

t.test('when the bottom refuses everything, or headers are lost, each layer adds its budget and no more', async t => {
  let asked = 0
  const bottom = await Promise.all(Array.from({ length: instances }, () => listeningApp(t, {
    mode: 'static',
    service: false,
    health: false,
    underPressure: false,
    routes (app) {
      app.get('/call', async (_, reply) => {
        asked++
        return await reply.code(503).send()
      })
    }
  })))
  const { received, statuses } = await callThrough(t, bottom.map(({ url }) => url), statusOnly)
  t.comment(`${[...received, asked].join(', ')} attempts, layer by layer`)
  t.same(statuses, [503])
  for (const [layer, attempts] of [...received, asked].entries()) {
    t.equal(attempts >= requests && attempts <= requests * 1.2 ** layer, true, `layer ${layer}: ${attempts}`)
  }
  t.equal(asked > requests, true, 'there was something to bound')
})
