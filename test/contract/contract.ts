import type { Test } from 'tap'
import type { Agent } from './agent.ts'
import { blocking } from './blocking.ts'
import { checks } from './checks.ts'
import { maintenance } from './maintenance.ts'
import { refusals } from './refusals.ts'
import { registration } from './registration.ts'

/** What this package relies on: of Consul, and so of whatever takes its place. */
export function contract (t: Test, agent: Agent): void {
  t.test('registration', t => registration(t, agent))
  t.test('refusals', t => refusals(t, agent))
  t.test('maintenance', t => maintenance(t, agent))
  t.test('blocking queries', t => blocking(t, agent))
  t.test('checks', t => checks(t, agent))
}
