import { defaults } from '../../lib/options/defaults.ts'
import type { ConsulApi } from '../support/consul-api.ts'
import type { Command } from './commands.ts'

/**
 * `curl`: what goes to Consul is asked of a real one, with a service of the name that the path ends in. What goes to a
 * service must be a route of the plugin, or one that `sources` have.
 */
export function curl (api: ConsulApi, sources: string): (command: Command) => Promise<string[]> {
  return async ({ args }) => {
    const address = args.find(arg => /^(?:http:|\$)/.test(arg))
    if (address === undefined) return ['nothing tests a curl without an address']
    const { pathname, search } = new URL(address.replace(/^\$\w+/, 'http://consul').replace(/:\$\w+/, ''))
    if (!pathname.startsWith('/v1/')) return wrongRoute(pathname, sources)
    await api('PUT', '/v1/agent/service/register', { Name: pathname.split('/').at(-1) })
    const method = args.includes('-X') ? args[args.indexOf('-X') + 1] : 'GET'
    const { status, text } = await api(method as 'GET', pathname + search)
    return status === 404 || status >= 500 || text.startsWith('method') ? [`Consul answers ${status}: ${text}`] : []
  }
}

function wrongRoute (path: string, sources: string): string[] {
  const { readyPath, livePath } = defaults.health
  const [, first = ''] = path.split('/')
  const isKnown = [readyPath, livePath].includes(path) || sources.includes(`'/${first}`)
  return isKnown ? [] : [`no service here has a route ${path}`]
}
