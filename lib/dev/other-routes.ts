import { Refusal } from './refusal.ts'
import type { Route } from './route.ts'

/** Of a server of its own: no client goes there. */
const leader = '127.0.0.1:8300'

export const otherRoutes: readonly Route[] = [{
  method: 'GET',
  path: '/v1/status/leader',
  answer: () => ({ body: leader })
}, {
  method: 'POST',
  path: '/v1/internal/acl/authorize',
  answer: () => { throw new Refusal(401, 'ACL support disabled') }
}]
