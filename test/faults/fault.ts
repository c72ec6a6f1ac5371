import type { Teardown } from '../support/teardown.ts'

/** What a fault did, as far as it was measured. Times are milliseconds of a monotonic clock. */
export interface Figures {
  /** Requests of users. */
  requests?: number
  /** Of these: not answered as they should have been, as the user sees it. */
  errors?: number
  /** Requests that instances got, the first time or again. */
  attempts?: number
  /** From the fault until it was noticed. */
  detect?: number
  /** From the end of the fault until everything was as before. */
  recover?: number
  /** Requests to Consul that would not have been made without the fault. */
  queries?: number
  note?: string
  /** Which promise was broken, if any. */
  broken?: string
}

/** Something that goes wrong, on real processes, and what must hold all the same. */
export interface Fault {
  readonly name: string
  /** What is done, for the table. */
  readonly done: string
  readonly promise: string
  run (t: FaultContext): Promise<Figures>
}

/** `teardown` as tap's: what is given to it runs after the fault, the last first. */
export interface FaultContext extends Teardown {
  log (text: string): void
}
