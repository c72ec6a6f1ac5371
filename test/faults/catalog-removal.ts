import type { Fault } from './fault.ts'
import { removal } from './support/removal.ts'

export const fault: Fault = {
  name: 'catalog-removal',
  done: 'an instance is removed by hand from the catalog only: its agent still has it',
  promise: 'it is back within 1 s; no call fails',
  async run (t) {
    return await removal(t, ({ api }, id, { node }) =>
      api('PUT', '/v1/catalog/deregister', { Node: node, ServiceID: id }))
  }
}
