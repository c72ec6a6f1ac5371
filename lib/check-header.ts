/**
 * The header that a registration puts into its http check, and by which the ready route knows Consul from everyone
 * else: Consul alone is told `degraded` by status 429. Forged, it changes nothing but that status.
 */
export const consulCheckHeader = { name: 'x-fastify-consul', value: 'check' } as const
