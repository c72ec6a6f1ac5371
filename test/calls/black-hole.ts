import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { Teardown } from '../support/teardown.ts'
import { until } from '../support/wait.ts'

const listenAndSleep = `
  const { createServer } = require('node:net')
  const { parentPort } = require('node:worker_threads')
  const server = createServer().listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
    parentPort.postMessage(server.address().port)
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))
  })`

/**
 * A port where connecting neither works nor fails: its thread listens and sleeps, and the queue of the connections
 * that it would have to accept is full, so that the kernel drops whatever else comes.
 */
export async function startBlackHole (t: Teardown): Promise<number> {
  const worker = new Worker(listenAndSleep, { eval: true })
  const waiting: Socket[] = []
  t.teardown(async () => {
    for (const socket of waiting) socket.destroy()
    await worker.terminate()
  })
  const [port] = await once(worker, 'message') as [number]
  await until(async () => {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    waiting.push(socket)
    await Promise.race([once(socket, 'connect'), delay(100)])
    await turn() // If this thread stood still: what has connected meanwhile is heard of.
    return socket.connecting
  }, { what: 'a full queue' })
  return port
}
