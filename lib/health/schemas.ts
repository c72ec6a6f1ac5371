/** What the ready route says of each check: its status, also its message, or nothing at all. */
export type Details = 'status' | 'full' | false

const status = { type: 'string', enum: ['healthy', 'degraded', 'unhealthy'] }

export function readySchema (details: Details): object {
  return {
    summary: 'Whether this instance takes requests',
    tags: ['health'],
    response: {
      200: { description: 'Healthy or degraded', ...report(details, status) },
      429: { description: 'Degraded, to the check of Consul', ...report(details, status) },
      503: { description: 'Unhealthy or draining', ...report(details, draining) }
    }
  }
}

export const liveSchema: object = {
  summary: 'Whether this process answers at all',
  tags: ['health'],
  response: {
    200: {
      description: 'Alive',
      type: 'object',
      required: ['status'],
      properties: { status: { type: 'string', enum: ['alive'] } }
    }
  }
}

const draining = { type: 'string', enum: ['unhealthy', 'draining'] }

function report (details: Details, overall: object): object {
  const message = { type: 'string' }
  const check = { type: 'object', required: ['status'], properties: { status, ...(details === 'full' && { message }) } }
  const checks = { type: 'object', additionalProperties: check }
  return {
    type: 'object',
    required: ['status'],
    properties: { status: overall, ...(details !== false && { checks }) }
  }
}
