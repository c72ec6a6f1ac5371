// A service as its users write one, in a process of its own. It does work, tells its parent of it, and makes others
// work when it is told to. SIGTERM closes it, plainly.
import { setTimeout as delay } from 'node:timers/promises'
import Fastify from 'fastify'
import { fastifyConsul, type ConsulOptions } from '../../../lib/index.ts'
import { Load, type LoadOptions } from './load.ts'
import { now } from './monotonic.ts'
import { queries } from './sent.ts'

/** What is asked of it. */
export type Question =
  { ask: 'load', options: LoadOptions } | { ask: 'stop' } | { ask: 'lists' } | { ask: 'queries' } |
  { ask: 'registration' } | { ask: 'discover', service: string }

export interface Got {
  /** The id of a request for work. */
  got: string
  method: string
  at: number
}

const { OPTIONS = '{}', PORT = '0' } = process.env
const app = Fastify({ logger: true, disableRequestLogging: true })
await app.register(fastifyConsul, JSON.parse(OPTIONS) as ConsulOptions)

app.route<{ Querystring: { id: string } }>({
  url: '/work',
  method: ['GET', 'POST'],
  handler: async ({ query: { id: got }, method }) => {
    tell({ got, method, at: now() } satisfies Got)
    await delay(5) // Stands for the work.
    return { done: true }
  }
})

let load: Load | undefined
process.on('message', async ({ number, ...question }: Question & { number: number }) => {
  tell({ number, answer: await answer(question) ?? null })
})
// Neither does the channel keep it alive, nor does it outlive its parent.
process.channel?.unref()
process.on('disconnect', () => process.exit())
process.once('SIGTERM', () => app.close())

await app.listen({ port: Number(PORT), host: '127.0.0.1' })
tell({ listening: now() })

async function answer (question: Question): Promise<unknown> {
  const { consul } = app
  switch (question.ask) {
    case 'load': {
      load = new Load(consul, question.options)
      return true
    }
    case 'stop': return await load?.stop()
    case 'lists': return load?.report.lists
    case 'queries': return { ...queries }
    case 'registration': return consul.registration.state
    case 'discover': return (await consul.discover(question.service)).map(({ id }) => id)
  }
}

function tell (message: object): void {
  if (process.connected) process.send?.(message)
}
