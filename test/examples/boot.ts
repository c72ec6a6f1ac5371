import { typeScript } from '../support/children.ts'
import type { ConsulAgent } from '../support/consul.ts'
import { startScript, type Script } from '../support/process.ts'
import type { Teardown } from '../support/teardown.ts'
import { until } from '../support/wait.ts'

export interface Entry {
  Service: { ID: string, Port: number }
  Checks: ReadonlyArray<{ Status: string, Type: string }>
}

export interface Example {
  script: Script
  /** Its entry in Consul. */
  entry: Entry
  url: string
}

const examples = new URL('../../examples/', import.meta.url)

/** An example in a process of its own, configured by `env` alone, once it is passing in Consul. */
export async function boot (
  t: Teardown, file: string | URL, consul: ConsulAgent, env: Record<string, string>, nodeArgs: readonly string[] = []
): Promise<Example> {
  const script = await startScript(t, new URL(file, examples), {
    env: { ...withoutOptions(), PORT: '0', CONSUL_URL: consul.url, ...env },
    nodeArgs: [...typeScript, ...nodeArgs]
  })
  const { SERVICE_NAME: name = '', SERVICE_ID: id } = env
  const entry = await until(async () => {
    if (!script.running) return undefined
    return (await passing(consul, name)).find(({ Service: { ID } }) => id === undefined || ID === id)
  }, { timeout: 20_000, what: `${file} to be passing in Consul` })
    .catch(cause => { throw new Error(`${cause.message}\n${script.output}`, { cause }) })
  return { script, entry, url: `http://127.0.0.1:${entry.Service.Port}` }
}

/** Variables of the machine that would configure an example. */
export function withoutOptions (): Record<string, undefined> {
  const names = Object.keys(process.env).filter(name => /^(?:CONSUL|SERVICE)_/.test(name))
  return Object.fromEntries(names.map(name => [name, undefined]))
}

/** The instances of a service that are passing in Consul. */
export async function passing (consul: Pick<ConsulAgent, 'api'>, name: string): Promise<Entry[]> {
  return (await consul.api<Entry[]>('GET', `/v1/health/service/${name}?passing`)).json
}

/** Ends it as a supervisor does, and resolves to its exit code and what Consul lists of it then. */
export async function terminate (
  { script, entry }: Example, consul: ConsulAgent, name: string, signal: NodeJS.Signals = 'SIGTERM'
): Promise<{ code: number | null, listed: Entry[] }> {
  script.signal(signal)
  const { code } = await script.ended
  const { json } = await consul.api<Entry[]>('GET', `/v1/health/service/${name}`)
  return { code, listed: json.filter(({ Service: { ID } }) => ID === entry.Service.ID) }
}
