import type { Random } from '../clock.ts'
import { InvalidOptionError } from '../errors.ts'
import type { StrategyFunction, StrategyName } from '../options/call-options.ts'
import { shown } from '../options/error.ts'
import { ConsistentHash } from './consistent-hash.ts'
import { Custom } from './custom.ts'
import { First } from './first.ts'
import { LeastRequest } from './least-request.ts'
import { PeakEwma } from './peak-ewma.ts'
import { WeightedRandom } from './random.ts'
import { RoundRobin } from './round-robin.ts'
import type { Strategy } from './strategy.ts'

/** A strategy by its name, or one of the user's own. */
export type StrategyChoice = StrategyName | StrategyFunction

const factories: Readonly<Record<StrategyName, (random: Random) => Strategy>> = {
  'round-robin': random => new RoundRobin(random),
  random: random => new WeightedRandom(random),
  first: () => new First(),
  'least-request': random => new LeastRequest(random),
  'peak-ewma': random => new PeakEwma(random),
  'consistent-hash': () => new ConsistentHash()
}

export const strategyNames = Object.freeze(Object.keys(factories))

export function createStrategy (choice: StrategyChoice, random: Random): Strategy {
  return typeof choice === 'function' ? new Custom(choice) : factories[choice](random)
}

/** @throws FST_CONSUL_INVALID_OPTION for what is neither a function nor the name of a strategy */
export function strategyChoice (value: unknown, option: string): StrategyChoice {
  if (isChoice(value)) return value
  throw new InvalidOptionError(option, `one of ${strategyNames.join(', ')}, or a function`, shown(option, value))
}

function isChoice (value: unknown): value is StrategyChoice {
  return typeof value === 'function' || (typeof value === 'string' && Object.hasOwn(factories, value))
}
