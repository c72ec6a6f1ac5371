import { guarded } from './guarded.ts'

interface RunningCall {
  /** Whether it waits to hear of instances. */
  readonly isDiscovering: boolean
  /** Where it stands in the list. The list's to set: a Set would cost more than all the rest. */
  place: number
  abort (reason: Error): void
}

/** The calls that have begun and not ended. */
export class RunningCalls {
  readonly #calls = [] as RunningCall[]
  #onNone: (() => void)[] = []

  add (call: RunningCall): void {
    call.place = this.#calls.push(call) - 1
  }

  delete (call: RunningCall): void {
    const last = this.#calls.pop() as RunningCall
    if (last !== call) {
      this.#calls[call.place] = last
      last.place = call.place
    }
    if (this.#calls.length === 0) for (const onNone of this.#onNone.splice(0)) onNone()
  }

  /** Calls that wait to hear of instances fail. */
  abortWaiting (reason: Error): void {
    for (const call of [...this.#calls]) if (call.isDiscovering) guarded(() => call.abort(reason))
  }

  abort (reason: Error): void {
    for (const call of [...this.#calls]) guarded(() => call.abort(reason))
  }

  /** Resolves when none is left. */
  async ended (): Promise<void> {
    if (this.#calls.length > 0) await new Promise<void>(resolve => { this.#onNone.push(resolve) })
  }
}
