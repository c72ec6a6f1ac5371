/** A fault that any client of Consul meets, and what covers it. */
export interface FaultRow {
  readonly fault: string
  /** Files below `test/`. */
  readonly tests: readonly string[]
  /** What is left to say: above all, why nothing covers it. */
  readonly note?: string
}

/** In the order of their numbers, from 1. */
export const faultRows: readonly FaultRow[] = [
  { fault: 'instance killed', tests: ['faults/instance-kill.ts', 'crash.test.ts'] },
  {
    fault: 'instance stopped: it accepts and never answers',
    tests: ['faults/instance-suspend.ts', 'faults/instance-stalls.ts', 'calls/timeouts.test.ts']
  },
  { fault: 'slow instance', tests: ['simulator/simulator.test.ts'], note: 'in virtual time' },
  { fault: 'instance that fails fast', tests: ['faults/instance-refusing.ts', 'calls/retries.test.ts'] },
  { fault: 'all instances fail', tests: ['calls/retry.test.ts', 'retry-storm.test.ts', 'balancing/outlier.test.ts'] },
  { fault: 'connections are swallowed', tests: ['faults/instance-black-hole.ts', 'calls/timeouts.test.ts'] },
  { fault: 'reset in the middle of a body', tests: ['faults/instance-reset.ts', 'calls/accounting.test.ts'] },
  { fault: 'connection closed just when it is used again', tests: ['calls/keep-alive.test.ts'] },
  {
    fault: 'instance removed while requests run',
    tests: ['faults/churn-of-others.ts', 'calls/pools.test.ts']
  },
  { fault: 'rolling restart', tests: ['faults/rolling-restart.ts', 'drain.test.ts'] },
  { fault: 'leader lost', tests: ['faults/leader-kill.ts', 'leaderless.test.ts'] },
  { fault: 'quorum lost', tests: ['faults/quorum-lost.ts'] },
  { fault: 'agent down', tests: ['faults/agent-kill.ts', 'consul-down.test.ts', 'discovery/outage.test.ts'] },
  { fault: 'agent restarted empty', tests: ['faults/agent-empty.ts', 'kept.test.ts', 'discovery/guard.test.ts'] },
  { fault: 'agent stopped', tests: ['faults/agent-suspend.ts', 'faults/agent-black-hole.ts'] },
  { fault: 'token deleted', tests: ['faults/token-revoked.ts', 'token-rotation.test.ts'] },
  { fault: 'policy narrowed', tests: ['faults/policy-narrowed.ts', 'discovery/guard.test.ts'] },
  {
    fault: 'index 0, lower, huge or missing',
    tests: ['faults/wrong-answers.ts', 'discovery/index-rule.test.ts', 'consul/watch.test.ts'],
    note: 'a server answers in the agent\'s place: no agent can be brought to'
  },
  {
    fault: 'unknown service watched in a busy cluster',
    tests: ['faults/unknown-service.ts', 'discovery/churn.test.ts']
  },
  {
    fault: 'flapping check',
    tests: ['faults/flapping-check.ts', 'discovery/churn.test.ts', 'flapping.test.ts']
  },
  { fault: 'thundering herd', tests: ['faults/many-clients.ts', 'consul/connectivity.test.ts'] },
  { fault: '10,000 instances', tests: ['faults/ten-thousand-instances.ts'] },
  {
    fault: 'many watches',
    tests: ['faults/thousand-services.ts', 'faults/connection-limit.ts', 'discovery/connection-budget.test.ts']
  },
  {
    fault: 'clock jump, laptop sleep',
    tests: ['faults/caller-suspend.ts', 'clock.test.ts'],
    note: 'the only clock is a monotonic one: a change of the date moves nothing'
  },
  {
    fault: 'event loop of the caller blocked',
    tests: ['faults/blocked-loop.ts', 'calls/timeouts.test.ts'],
    note: 'with ejection on: an instance that was left out would not have its share afterwards'
  },
  {
    fault: 'host names, IPv6, https instances',
    tests: ['addresses.test.ts', 'calls/tls.test.ts']
  },
  {
    fault: 'storm of retries that outlives its cause',
    tests: ['retry-storm.test.ts', 'calls/retry.test.ts', 'simulator/simulator.test.ts'],
    note: 'a load above capacity and a total outage are simulated in virtual time, the time after them is not'
  },
  {
    fault: 'stale reads from a former leader',
    tests: [],
    note: 'not excluded: discovery is a hint, and what follows from a wrong one is a retry at another instance'
  }
]

/** As a section of docs/faults.md. */
export function faultRowsSection (): string[] {
  return [
    '## What covers which fault', '',
    'The faults that any client of Consul meets. Files are below `test/`; those of the table above are in',
    '`test/faults`.', '',
    '| number | fault | covered by | note |', '|---|---|---|---|',
    ...faultRows.map(({ fault, tests, note = '' }, index) => {
      const files = tests.map(file => `\`${file}\``).join(', ')
      return `| ${index + 1} | ${fault} | ${files} | ${note} |`
    }), ''
  ]
}
