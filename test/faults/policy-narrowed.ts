import { issueToken, setPolicy } from '../lifecycle/acl.ts'
import { startConsul } from '../support/consul.ts'
import type { Fault } from './fault.ts'
import { consulFault } from './support/consul-fault.ts'
import { shortest } from './support/fleet.ts'
import { everything, noReading } from './support/policy.ts'

const narrowed = 20_000

export const fault: Fault = {
  name: 'policy-narrowed',
  done: 'for 20 s the policy of the caller\'s token no longer lets it read the service that it calls: Consul answers ' +
    '200 with an empty list; `discovery.wait` 2 s',
  promise: 'no call fails and the list stays whole, at most 3 log lines a process, news within 3 s of its end',
  async run (t) {
    const consul = await startConsul(t, { acl: true })
    await setPolicy(consul, 'services', everything)
    await setPolicy(consul, 'caller', everything)
    const services = await issueToken(consul, 'services')
    const caller = await issueToken(consul, 'caller')
    return await consulFault(t, {
      consul,
      options: { token: services.token, discovery: { wait: '2s' } },
      caller: { token: caller.token },
      lasts: narrowed,
      begin: () => setPolicy(consul, 'caller', noReading),
      end: () => setPolicy(consul, 'caller', everything),
      freshWithin: 3000,
      judge: ({ lists }) => [shortest(lists) === 0 && 'the caller saw an empty list']
    })
  }
}
