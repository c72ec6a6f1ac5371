import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CertificateAuthority } from '../support/certificates.ts'
import { startConsul, type ConsulAgent } from '../support/consul.ts'
import { freePort } from '../support/ports.ts'
import type { Teardown } from '../support/teardown.ts'

/** What a `tls` section names by path. */
export interface Files {
  ca: string
  cert: string
  key: string
}

export function filesIn (folder: string): Files {
  return { ca: join(folder, 'ca.pem'), cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
}

/** Writes the authority's certificate and a new one of its own, each file at once. */
export async function writeFiles (files: Files, authority: CertificateAuthority, ...names: string[]): Promise<void> {
  const { cert, key } = await authority.issue(names[0] ?? 'client', ...names.slice(1))
  for (const [path, text] of [[files.ca, authority.ca], [files.cert, cert], [files.key, key]] as const) {
    await writeFile(`${path}.new`, text)
    await rename(`${path}.new`, path)
  }
}

export interface SecureAgent {
  agent: ConsulAgent
  host: string
  port: number
  url: string
  /** From now on it is one of this authority, and trusts clients of this authority only. */
  become: (authority: CertificateAuthority) => Promise<void>
}

/** A real agent with HTTPS that wants a certificate of every client. Its plain HTTP stays open, for the test. */
export async function startSecureAgent (
  t: Teardown, folder: string, authority: CertificateAuthority
): Promise<SecureAgent> {
  const files = filesIn(folder)
  const names = ['127.0.0.1', 'localhost', 'consul.test']
  await writeFiles(files, authority, ...names)
  const port = await freePort()
  const tls = { ca_file: files.ca, cert_file: files.cert, key_file: files.key, verify_incoming: true }
  const agent = await startConsul(t, { config: { ports: { https: port }, ...tls } })
  return {
    agent,
    host: agent.host,
    port,
    url: `https://${agent.host}:${port}`,
    become: async next => {
      await agent.kill()
      await writeFiles(files, next, ...names)
      await agent.start()
    }
  }
}
