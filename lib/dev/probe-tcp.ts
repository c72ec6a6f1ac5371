import { connect } from 'node:net'
import type { Finding } from './check-runner.ts'

/** Passing if something listens there. */
export async function probeTcp (target: string, signal: AbortSignal): Promise<Finding> {
  const { hostname, port } = new URL(`tcp://${target}`)
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) })
    const end = (): void => { socket.destroy() }
    signal.addEventListener('abort', end, { once: true })
    socket.once('connect', () => {
      resolve()
      end()
    })
    socket.once('error', reject)
    socket.once('close', () => {
      signal.removeEventListener('abort', end)
      reject(new Error('closed'))
    })
  })
  return { status: 'passing', output: `TCP connect ${target}: Success` }
}
