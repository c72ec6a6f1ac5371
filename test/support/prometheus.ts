import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'undici'
import { startChild } from './children.ts'
import { findPrometheus } from './find-prometheus.ts'
import { freePort } from './ports.ts'
import type { Teardown } from './teardown.ts'
import { until } from './wait.ts'

export interface Series {
  metric: Record<string, string>
  value: number
}

export interface Prometheus {
  /** The `data` of an answer of its HTTP API, below `/api/v1`. */
  api: <T>(path: string, parameters?: Record<string, string>) => Promise<T>
  /** What an expression is now. Throws if it is none. */
  query: (expression: string) => Promise<Series[]>
}

/** A real Prometheus of this test's own with this configuration, ready to be asked. It ends with the test. */
export async function startPrometheus (t: Teardown, configuration: object): Promise<Prometheus> {
  const { prometheus } = await findPrometheus()
  const folder = await mkdtemp(join(tmpdir(), 'fastify-consul-prometheus-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'prometheus.json') // JSON is YAML.
  await writeFile(file, JSON.stringify(configuration))
  const address = `127.0.0.1:${await freePort()}`
  const child = await startChild(prometheus, [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=${address}`,
    '--log.level=warn'
  ], { folder, cwd: folder })
  t.teardown(() => child.kill())

  const api: Prometheus['api'] = async (path, parameters = {}) => {
    const { body } = await request(`http://${address}/api/v1/${path}?${new URLSearchParams(parameters)}`)
    const { status, error, data } = await body.json() as { status: string, error?: string, data: never }
    if (status !== 'success') throw new Error(`${parameters['query'] ?? path}: ${error}`)
    return data
  }

  const isReady = async () => (await request(`http://${address}/-/ready`)).statusCode === 200
  await until(() => !child.running || isReady(), { timeout: 20_000, what: 'Prometheus to be ready' })
  if (!child.running) throw new Error(`Prometheus ended: ${child.output}`)

  return {
    api,
    async query (expression) {
      const { resultType, result } = await api<QueryResult>('query', { query: expression })
      if (resultType !== 'vector') throw new Error(`${expression} is no vector but a ${resultType}`)
      return result.map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }))
    }
  }
}

interface QueryResult {
  resultType: string
  result: { metric: Record<string, string>, value: [time: number, value: string] }[]
}
