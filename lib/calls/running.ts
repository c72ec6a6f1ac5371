interface RunningCall {
  /** Whether it waits to hear of instances. */
  readonly isDiscovering: boolean
  abort (reason: Error): void
}

/** The calls that have begun and not ended. */
export class RunningCalls {
  readonly #calls = new Set<RunningCall>()
  #onNone: (() => void)[] = []

  add (call: RunningCall): void {
    this.#calls.add(call)
  }

  delete (call: RunningCall): void {
    this.#calls.delete(call)
    if (this.#calls.size === 0) for (const onNone of this.#onNone.splice(0)) onNone()
  }

  /** Calls that wait to hear of instances fail. */
  abortWaiting (reason: Error): void {
    for (const call of this.#calls) if (call.isDiscovering) call.abort(reason)
  }

  abort (reason: Error): void {
    for (const call of this.#calls) call.abort(reason)
  }

  /** Resolves when none is left. */
  async ended (): Promise<void> {
    if (this.#calls.size > 0) await new Promise<void>(resolve => { this.#onNone.push(resolve) })
  }
}
