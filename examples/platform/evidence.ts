import type { Compared, ServiceRegistry } from 'fastify-consul'
import { until } from '../../test/support/wait.ts'
import type { Layer } from './layers.ts'

/** In mode `register`: whether Consul would have answered with the fixed addresses. The evidence for `hybrid`. */
export async function evidenceOf (gateway: ServiceRegistry, platform: readonly Layer[]): Promise<string[]> {
  const all = await Promise.all(platform.map(async ({ name }) => ({ name, ...await comparedBy(gateway, name) })))
  const others = all.filter(({ onlyInFallback, onlyInConsul }) => onlyInFallback.length + onlyInConsul.length > 0)
  return [
    `  compared  Consul lists ${all.length - others.length} of ${all.length} layers at their fixed addresses`,
    ...others.map(({ name, onlyInFallback, onlyInConsul }) =>
      `            ${name}: fixed ${textOf(onlyInFallback)}, in Consul ${textOf(onlyInConsul)}`)
  ]
}

/** Each call compares, in the background. */
async function comparedBy (gateway: ServiceRegistry, name: string): Promise<Compared> {
  return await until(async () => {
    await gateway.discover(name)
    return gateway.explain(name).compared
  }, { what: `Consul's answer for ${name} to be compared` })
}

function textOf (urls: readonly string[]): string {
  return urls.length === 0 ? 'none' : urls.join(' ')
}
