import { startCatalog } from './helpers.ts'

// Watches a service, and waits for one to come back from an outage. Whatever is left would keep this process alive.
const teardowns: (() => unknown)[] = []
const t = { teardown: (fn: () => unknown) => { teardowns.push(fn) } }
const { CONSUL_URL: url = '', DOWN_URL: down = '', CLOSE: closes } = process.env
const { catalog } = startCatalog(t, url)
const { catalog: lost } = startCatalog(t, down, { connection: { timeout: 500 } })
catalog.follow('followed', () => {})
catalog.preload('preloaded')
await catalog.discover('web')
await lost.discover('web').catch(() => {})
if (closes === 'yes') await Promise.all(teardowns.map(fn => fn()))
console.log('done')
