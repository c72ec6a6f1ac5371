import type { Endpoint } from './endpoint.ts'
import { Least } from './least.ts'

/**
 * The one with the fewest attempts under way, for its weight. The one that is drawn by weight stays the choice unless
 * another would be no fuller with the request than this one is without: where little is under way, weights alone
 * decide.
 */
export class LeastRequest extends Least {
  protected override measure ({ load }: Endpoint): number {
    return load
  }

  protected override isBetter (other: Endpoint, drawn: Endpoint): boolean {
    return other.load <= drawn.fill
  }
}
