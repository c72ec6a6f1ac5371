/**
 * On a 503 that is the fault of nobody but a service further down, of which no instance can be called: whoever sends
 * the request again, or holds the reply against the instance that gave it, only makes that outage worse.
 */
export const noInstanceHeader = { name: 'x-consul-no-instance', value: '1' } as const
