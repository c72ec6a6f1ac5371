interface Changes {
  readonly count: number
  readonly at: number
}

/** So many changes in a row are told one by one: that a service is gone, and that it is back. */
const toldChanges = 2
/** Without a change for so long, the next one is news again. Milliseconds. */
const calmAfter = 60_000

/** Whether a change is worth a line in the log. Of what comes and goes without end the log says so, once. */
export class Flapping {
  readonly #changes = new WeakMap<object, Changes>()

  /** @param now milliseconds */
  judge (subject: object, now: number): 'news' | 'flapping' | 'known' {
    const last = this.#changes.get(subject)
    const count = last === undefined || now - last.at >= calmAfter ? 1 : last.count + 1
    this.#changes.set(subject, { count, at: now })
    if (count <= toldChanges) return 'news'
    return count === toldChanges + 1 ? 'flapping' : 'known'
  }
}
