import { strategyChoice, type StrategyChoice } from '../balancing/strategies.ts'
import { parseDuration, type Duration } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'
import { shown, unknownOption } from '../options/error.ts'
import { isRecord } from '../options/tree.ts'

/** How one call differs from the others. What is absent or `undefined` is as the options say. */
export interface BalanceOptions {
  /** Default: `balancer.strategy`. */
  strategy?: StrategyChoice | undefined
  /** For strategies that send calls with the same key to the same instance. Default none. */
  key?: string | undefined
  /** Only instances with this tag. Default: the one in the URL, else any. */
  tag?: string | undefined
  /** Default: the one in the URL, else the `datacenter` option, else the agent's. */
  datacenter?: string | undefined
  /** Limit of one attempt until the response headers; 0: none. Default: `calls.timeout`. */
  timeout?: Duration | undefined
  /** Limit of the whole call; 0: none. Default: `calls.deadline`. */
  deadline?: Duration | undefined
  /** How often it may be sent once more, if it is idempotent; 0: never. Default: `calls.retries`. */
  retries?: number | undefined
}

type Settings = Pick<
  Balance, 'strategy' | 'key' | 'tag' | 'datacenter' | 'timeout' | 'deadline' | 'retries' | 'endsAt'
> & Partial<Pick<Balance, 'timeoutOption' | 'deadlineOption'>>

/** All that is to know of a call beside its request. */
export class Balance {
  readonly strategy: StrategyChoice
  readonly key: string | undefined
  readonly tag: string | undefined
  readonly datacenter: string | undefined
  /** Milliseconds; 0: no limit. */
  readonly timeout: number
  /** What set it. */
  readonly timeoutOption: string
  /** Milliseconds; 0: no limit. */
  readonly deadline: number
  /** What set it. */
  readonly deadlineOption: string
  /** How often a request may be sent once more. */
  readonly retries: number
  /** The clock's time at which the call must have ended, if it did not begin with this request. */
  readonly endsAt: number | undefined

  constructor (settings: Settings) {
    this.strategy = settings.strategy
    this.key = settings.key
    this.tag = settings.tag
    this.datacenter = settings.datacenter
    this.timeout = settings.timeout
    this.timeoutOption = settings.timeoutOption ?? 'calls.timeout'
    this.deadline = settings.deadline
    this.deadlineOption = settings.deadlineOption ?? 'calls.deadline'
    this.retries = settings.retries
    this.endsAt = settings.endsAt
  }

  /** The same for another service, to which the call was redirected. */
  elsewhere (): Balance {
    return new Balance({ ...this, tag: undefined, datacenter: undefined })
  }

  /** What is left of the deadline for a request that begins now. Milliseconds; 0: no limit. */
  leftAt (now: number): number {
    // Whole milliseconds, so that most fetches have as much left as the others.
    return this.endsAt === undefined ? this.deadline : Math.max(1, Math.ceil(this.endsAt - now))
  }

  /** The same with its deadline counted from now on, over every request of the call. */
  startingAt (now: number): Balance {
    return this.deadline === 0 ? this : new Balance({ ...this, endsAt: now + this.deadline })
  }
}

type Parser<K extends keyof Balance> = (value: unknown, option: string) => Balance[K]

const parsers: { readonly [K in keyof BalanceOptions]-?: Parser<K> } = {
  strategy: strategyChoice,
  key: text,
  tag: text,
  datacenter: text,
  timeout: limit,
  deadline: limit,
  retries: count
}

/**
 * The settings of one call.
 *
 * @throws FST_CONSUL_INVALID_OPTION
 */
export function parseBalance (options: unknown, defaults: Balance): Balance {
  if (!isRecord(options)) throw new InvalidOptionError('balance', 'a plain object', shown('balance', options))
  const given = Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, parserOf(name)(value, `balance.${name}`)])
  const settings: Partial<Settings> = Object.fromEntries(given)
  return new Balance({
    ...defaults,
    ...settings,
    ...(settings.timeout !== undefined && { timeoutOption: 'balance.timeout' }),
    ...(settings.deadline !== undefined && { deadlineOption: 'balance.deadline' })
  })
}

function parserOf (name: string): Parser<keyof BalanceOptions> {
  if (isOption(name)) return parsers[name]
  throw unknownOption('balance', name, Object.keys(parsers))
}

function isOption (name: string): name is keyof BalanceOptions {
  return Object.hasOwn(parsers, name)
}

function text (value: unknown, option: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw new InvalidOptionError(option, 'a string that is not empty', shown(option, value))
}

function limit (value: unknown, option: string): number {
  const duration = parseDuration(value)
  // Up, as 0 would mean that there is none.
  if (duration !== undefined) return Math.ceil(duration)
  const expected = '0 for none, or a duration (milliseconds, or a Go duration such as "1m30s")'
  throw new InvalidOptionError(option, expected, shown(option, value))
}

function count (value: unknown, option: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 100) return value
  throw new InvalidOptionError(option, 'a whole number from 0 to 100', shown(option, value))
}
