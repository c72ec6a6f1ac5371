/**
 * `registered`: seen in the catalog. `unconfirmed`: the agent took it, but the catalog did not show it within 3 s, or
 * not to this token. `stopped`: taken out again.
 */
export type RegistrationState =
  'none' | 'registering' | 'registered' | 'unconfirmed' | 'conflict' | 'draining' | 'stopped'

/** Where a registration stands. */
export interface RegistrationStatus {
  readonly state: RegistrationState
  readonly id: string | undefined
  /** When this state began. */
  readonly since: Date
  /** Why the last try failed; `undefined` after a success. */
  readonly error: Error | undefined
}
