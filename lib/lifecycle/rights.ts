import { statusIn } from '../consul/answer.ts'
import { isConnectionError, type Connectivity } from '../consul/connectivity.ts'
import type { ConsulClient } from '../consul/client.ts'
import { ApiForbiddenError } from '../errors.ts'
import type { Right } from '../consul/wire.ts'
import type { Logger } from '../logger.ts'
import type { ResolvedOptions } from '../options/resolved.ts'

export interface RightsParts {
  readonly options: Pick<ResolvedOptions, 'service' | 'mode' | 'fallback' | 'discovery'>
  readonly client: Pick<ConsulClient, 'authorize'>
  readonly connectivity: Pick<Connectivity, 'recover'>
  readonly logger: Logger
}

/** An outage takes one, however long it is; so does each look at an agent that has just been started. */
const maxTries = 10
/** Milliseconds between such looks. */
const lookAgainAfter = 2000

/**
 * Looks once at what the token may do, and says what it lacks: Consul shows less to a token with too few rights, and
 * calls that no error. Waits for an agent that cannot be reached; one that cannot say is not asked again.
 */
export async function tellMissingRights (parts: RightsParts, signal: AbortSignal): Promise<void> {
  const needed = rightsNeeded(parts.options)
  const has = await ask(parts, needed, signal)
  const missing = needed.filter((_, index) => has[index] === false)
  if (missing.length === 0) return
  const names = missing.map(({ resource, access, name }) => `${resource}:${access}${name && ` on ${name}`}`)
  parts.logger.warn({ missing: names },
    `The ACL token lacks ${names.join(', ')}; add to its policy: ${missing.map(ruleOf).join(' ')}`)
}

async function ask (
  { client, connectivity }: RightsParts, needed: readonly Right[], signal: AbortSignal
): Promise<boolean[]> {
  for (let tries = 1; tries <= maxTries; tries++) {
    try {
      return await client.authorize(needed, { signal })
    } catch (error) {
      if (!isConnectionError(error) && !isOfStart(error)) break
      await connectivity.recover(error, () => lookAgainAfter, signal)
    }
  }
  return []
}

/** Whether the agent may have just started: it has found no server, or no token yet, not even the anonymous one. */
function isOfStart (error: unknown): boolean {
  if (error instanceof ApiForbiddenError) return error.message.includes('ACL not found')
  return (statusIn(error) ?? 0) >= 500
}

/** What is used without being told: any service may be asked for, if `discovery.preload` does not say which. */
function rightsNeeded ({ service, mode, fallback, discovery: { preload } }: RightsParts['options']): Right[] {
  const compares = mode === 'register' && Object.keys(fallback).length > 0
  const discovers = compares || mode === 'hybrid' || mode === 'full'
  const names = discovers ? (preload.length > 0 ? preload : ['']) : []
  return [
    ...(service ? [{ resource: 'service', access: 'write', name: service.name } as const] : []),
    ...names.map(name => ({ resource: 'service', access: 'read', name } as const)),
    { resource: 'node', access: 'read', name: '' }
  ]
}

/** As a policy says it. */
function ruleOf ({ resource, access, name }: Right): string {
  return `${resource}${name === '' ? '_prefix' : ''} ${JSON.stringify(name)} { policy = "${access}" }`
}
