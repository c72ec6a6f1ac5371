import { request } from 'undici'

export interface ConsulAnswer<T> {
  status: number
  headers: Record<string, string | string[] | undefined>
  text: string
  /** The parsed body, `undefined` when it is no JSON. */
  json: T
}

export type ConsulApi = <T = unknown>(
  method: 'GET' | 'PUT' | 'DELETE' | 'POST', path: string, body?: unknown
) => Promise<ConsulAnswer<T>>

/** The plain HTTP API of an agent: every request on a connection of its own, with `token`, limited to 20 s. */
export function consulApi (url: string, token?: string): ConsulApi {
  return async <T>(method: string, path: string, body?: unknown) => {
    const response = await request(new URL(path, url), {
      method,
      reset: true,
      signal: AbortSignal.timeout(20_000),
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(token !== undefined && { 'x-consul-token': token })
      },
      ...(body !== undefined && { body: JSON.stringify(body) })
    })
    const text = await response.body.text()
    return { status: response.statusCode, headers: response.headers, text, json: parse(text) as T }
  }
}

/** A leader is known, it has written all that it writes of its own accord, and the agent answers about itself. */
export async function isReady (api: ConsulApi): Promise<boolean> {
  const leader = await api<string>('GET', '/v1/status/leader')
  if (leader.json === '') return false
  const checks = await api<{ CheckID: string }[]>('GET', '/v1/health/state/passing')
  if (checks.status !== 200 || !checks.json.some(({ CheckID: id }) => id === 'serfHealth')) return false
  return (await api('GET', '/v1/agent/self')).status === 200
}

function parse (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
