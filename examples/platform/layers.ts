/** A service layer, and the layers that it calls for each request that it gets. */
export interface Layer {
  readonly name: string
  readonly calls: readonly string[]
}

/** From the bottom to the top. A layer calls those below it only, so the first few of them are a platform too. */
export const layers: readonly Layer[] = [
  { name: 'l01-data-layer', calls: [] },
  { name: 'l02-runtime', calls: ['l01-data-layer'] },
  { name: 'l03-tools', calls: ['l02-runtime'] },
  { name: 'l04-models', calls: ['l01-data-layer'] },
  { name: 'l05-planning', calls: ['l03-tools', 'l04-models'] },
  { name: 'l06-evaluation', calls: ['l04-models'] },
  { name: 'l07-learning', calls: ['l01-data-layer'] },
  { name: 'l08-supervision', calls: ['l06-evaluation', 'l07-learning'] },
  { name: 'l09-gateway', calls: ['l05-planning', 'l08-supervision'] },
  { name: 'l10-sessions', calls: ['l09-gateway'] },
  { name: 'l11-integration', calls: ['l02-runtime'] },
  { name: 'l12-interface', calls: ['l10-sessions', 'l11-integration'] }
]

/** The layer at which requests come in. */
export function topOf (platform: readonly Layer[]): Layer {
  return platform.at(-1)!
}

/** How often layers are called for one request to the one at the top, itself included. */
export function callsOfARequest (platform: readonly Layer[]): number {
  const byName = new Map<string, number>()
  for (const { name, calls } of platform) {
    byName.set(name, 1 + calls.reduce((sum, called) => sum + (byName.get(called) ?? 0), 0))
  }
  return byName.get(topOf(platform).name)!
}
