/** What a proper response of a service costs now, whichever of its instances gives it. */
export class Pace {
  /** Of the last one: its latency in milliseconds, times the attempts under way there for the instance's weight. */
  cost = 0
}
