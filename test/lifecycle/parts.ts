import { systemClock } from '../../lib/clock.ts'
import { ConsulClient } from '../../lib/consul/client.ts'
import { Connectivity } from '../../lib/consul/connectivity.ts'
import { listenerOnPort } from '../../lib/lifecycle/listener.ts'
import type { RegistrationParts } from '../../lib/lifecycle/registration-parts.ts'
import type { RegistrationPlan } from '../../lib/lifecycle/registrar.ts'
import { resolveOptions } from '../../lib/options/resolve.ts'
import type { ConsulOptions } from '../../lib/options/types.ts'
import { collectingLogger, type Line } from '../health/collecting-logger.ts'
import type { Teardown } from '../support/teardown.ts'

/** What a registration on a port of nobody needs: a client, and a poll in the place of the watch of discovery. */
export function registrationParts (
  t: Teardown, options: ConsulOptions & { service: { name: string, id: string } }
): { parts: RegistrationParts, plan: RegistrationPlan, lines: Line[] } {
  const resolved = resolveOptions(options, { environment: {} })
  if (!resolved.service) throw new Error('no service')
  const { logger, lines } = collectingLogger()
  const client = new ConsulClient({}, { resolved })
  const random = Math.random
  const surroundings = { logger, clock: systemClock, random }
  const connectivity = new Connectivity({ probe: signal => client.ping({ signal }), ...surroundings })
  t.teardown(async () => {
    connectivity.close()
    await client.close()
  })
  return {
    parts: {
      client,
      connectivity,
      readiness: async () => ({ status: 'passing', output: 'healthy' }),
      follow: (name, listener) => follow(client, name, listener),
      onTokenChange: () => () => {},
      ...surroundings
    },
    plan: {
      id: options.service.id,
      service: resolved.service,
      check: resolved.check,
      listener: listenerOnPort(80),
      readyPath: '/health/ready'
    },
    lines
  }
}

function follow (
  client: ConsulClient, name: string, listener: Parameters<RegistrationParts['follow']>[1]
): () => void {
  const ended = new AbortController()
  const { signal } = ended
  const look = async (): Promise<void> => {
    for (let index: string | undefined; !signal.aborted;) {
      const answer = await client.health(name, { index, wait: '10s', signal })
      index = answer.index
      listener(answer.value, answer.filteredByAcls)
    }
  }
  look().catch(() => {})
  return () => ended.abort()
}
