import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { issueToken, setPolicy } from '../lifecycle/acl.ts'
import { startConsul } from '../support/consul.ts'
import type { Fault } from './fault.ts'
import { consulFault } from './support/consul-fault.ts'
import { everything } from './support/policy.ts'

const revoked = 15_000

export const fault: Fault = {
  name: 'token-revoked',
  done: 'the token of all services is deleted in Consul; 15 s later a new one is put into their `tokenFile`',
  promise: 'no call fails, at most 3 log lines a process, news within 16 s: a refused query is repeated after 10 s ' +
    '± 50 % at the latest. News needs registrations under the new token',
  async run (t) {
    const consul = await startConsul(t, { acl: true })
    await setPolicy(consul, 'services', everything)
    const folder = await mkdtemp(join(tmpdir(), 'fastify-consul-'))
    t.teardown(() => rm(folder, { recursive: true, force: true }))
    const tokenFile = join(folder, 'token')
    const first = await issueToken(consul, 'services')
    await writeFile(tokenFile, first.token)
    return await consulFault(t, {
      consul,
      options: { tokenFile, discovery: { wait: '5s' } },
      lasts: revoked,
      begin: () => first.revoke(),
      end: async () => {
        const second = await issueToken(consul, 'services')
        await writeFile(tokenFile, second.token)
      },
      freshWithin: 16_000
    })
  }
}
