import type { Clock } from '../clock.ts'
import { maintenanceIdOf } from '../consul/health-entry.ts'
import type { WireHealthEntry } from '../consul/wire.ts'
import { showsCheck } from './loss.ts'
import type { Registered } from './registrar.ts'

interface ListingParts {
  readonly clock: Clock
  /** The catalog shows what the agent took. */
  readonly onShown: () => void
  /** The catalog has shown it, and lists something else now, or nothing. */
  readonly onChanged: (entry: WireHealthEntry | undefined) => void
  /** The catalog has not shown it within 3 s of the agent's answer. */
  readonly onMissing: () => void
}

/** How long the catalog may take to show what the agent took. Milliseconds. */
const showWithin = 3000

/** What the catalog lists of the service: the agent's 200 does not say so yet. */
export class Listing {
  readonly #parts: ListingParts
  #entry: WireHealthEntry | undefined
  #maintenance: string | undefined
  /** What the agent took last, while nothing else is being written. */
  #taken: Registered | undefined
  #shown = false
  /** Whether the catalog has answered since the last write began. */
  #answered = false
  #onGone = () => {}
  #cancel = () => {}

  constructor (parts: ListingParts) {
    this.#parts = parts
  }

  /** Whether the last answer listed the service at all, as it is or as it was. */
  get isListed (): boolean {
    return this.#entry !== undefined
  }

  /** Whether the catalog has shown what the agent took last. */
  get isShown (): boolean {
    return this.#shown
  }

  /** The reason of the maintenance in which the service was when it was last listed. */
  get maintenance (): string | undefined {
    return this.#maintenance
  }

  /** A write begins: what was shown before says nothing of it, and is not judged any more. */
  begin (): void {
    this.stop()
    this.#taken = undefined
    this.#shown = false
    this.#answered = false
  }

  /** The agent has taken the write. */
  expect (taken: Registered): void {
    this.#taken = taken
    this.#cancel = this.#parts.clock.after(showWithin, this.#parts.onMissing)
    if (this.#answered) this.#look()
  }

  /** What the catalog answered. */
  update (entry: WireHealthEntry | undefined): void {
    this.#entry = entry
    this.#answered = true
    if (entry === undefined) this.#onGone()
    else this.#maintenance = maintenanceOf(entry)
    this.#look()
  }

  /** Resolves when the catalog does not list the service. */
  async gone (): Promise<void> {
    if (this.isListed) await this.change()
  }

  /** Resolves with the next answer that does not list the service. */
  async change (): Promise<void> {
    await new Promise<void>(resolve => { this.#onGone = resolve })
  }

  /** Waits for nothing any more. */
  stop (): void {
    this.#cancel()
  }

  /** Entries with another check are older than the write, until one has shown it. */
  #look (): void {
    if (this.#taken === undefined) return
    const isShown = this.#entry !== undefined && showsCheck(this.#entry, this.#taken.checkId)
    if (isShown) {
      this.stop()
      this.#shown = true
      this.#parts.onShown()
    } else if (this.#shown) {
      this.#parts.onChanged(this.#entry)
    }
  }
}

function maintenanceOf ({ Service: { ID: id }, Checks: checks }: WireHealthEntry): string | undefined {
  return checks.find(({ CheckID }) => CheckID === maintenanceIdOf(id))?.Notes
}
