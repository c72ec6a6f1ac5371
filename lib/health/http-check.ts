import { Agent, type Dispatcher, request } from 'undici'
import { InvalidOptionError } from '../errors.ts'
import type { CheckResult, CheckSettings, HealthCheck } from './check.ts'
import { unhealthy } from './result.ts'

export interface HttpCheckSettings extends CheckSettings {
  /** The status, or the statuses, of a healthy answer. Default: every 2xx. Redirects are not followed. */
  expect?: number | readonly number[] | undefined
  /** Default GET. */
  method?: 'GET' | 'HEAD' | 'OPTIONS' | undefined
  /** Default none. */
  headers?: Readonly<Record<string, string>> | undefined
  /** The undici dispatcher to send it with, for certificates or a proxy. Default: a connection for each run. */
  dispatcher?: Dispatcher | undefined
}

/**
 * A check that a URL answers well, to the end of the body. `user:password@` becomes basic authentication. Default:
 * named `http`, critical.
 *
 * @throws FST_CONSUL_INVALID_OPTION if it is no http or https URL
 */
export function httpCheck (url: string | URL, settings: HttpCheckSettings = {}): HealthCheck {
  const { name = 'http', critical, timeout, expect, method = 'GET', headers } = settings
  const { target, authorization } = targetOf(url)
  const accepted = typeof expect === 'number' ? [expect] : expect
  const dispatcher = settings.dispatcher ?? new Agent({ pipelining: 0 }) // 0: no connection is kept.
  return {
    name,
    critical,
    timeout,
    async run (signal: AbortSignal): Promise<CheckResult | undefined> {
      const { statusCode, body } = await request(target, {
        method, signal, dispatcher, headers: { ...authorization, ...headers }
      })
      await body.dump({ limit: Number.MAX_SAFE_INTEGER, signal }) // All of it: the time is limited.
      const good = accepted?.includes(statusCode) ?? (statusCode >= 200 && statusCode < 300)
      return good ? undefined : unhealthy(`answered ${statusCode}`)
    }
  }
}

/** Neither error shows the URL: it can hold credentials. */
function targetOf (given: string | URL): { target: string, authorization: Record<string, string> } {
  try {
    const url = new URL(given)
    if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new TypeError('no http')
    const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
    url.username = url.password = ''
    const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`
    return { target: url.href, authorization: credentials === ':' ? {} : { authorization } }
  } catch {
    throw new InvalidOptionError('The URL of a health check', 'an http or https URL', 'another value')
  }
}
