/**
 * `registered`: seen in the catalog. `unconfirmed`: the agent took it, but the catalog did not show it within 3 s; with
 * an error if it is not there, without one if it may only be hidden from this token. `conflict`: another process
 * registers under the same id; nothing is written until that one has gone. `stopped`: taken out again.
 */
export type RegistrationState =
  'none' | 'registering' | 'registered' | 'unconfirmed' | 'conflict' | 'draining' | 'stopped'

/** Where a registration stands. */
export interface RegistrationStatus {
  readonly state: RegistrationState
  readonly id: string | undefined
  /** When this state began. */
  readonly since: Date
  /** Why the last try failed, or why it does not count; `undefined` after a success. */
  readonly error: Error | undefined
}
