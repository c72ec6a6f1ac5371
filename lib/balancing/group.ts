import type { Random } from '../clock.ts'
import type { ServiceInstance } from '../consul/instance.ts'
import type { Endpoint } from './endpoint.ts'
import type { Endpoints } from './endpoints.ts'
import { Probes } from './probes.ts'
import { kept, Roster } from './roster.ts'
import { slowStartEnd, turnShareOf, welcome } from './slow-start.ts'
import { createStrategy, type StrategyChoice } from './strategies.ts'
import { isOpen, type MayPick, type PickContext, type Strategy } from './strategy.ts'

/** Ejections change the roster at once, and of a thousand instances at most every 10 ms. Milliseconds an instance. */
const updatePause = 0.01
/** So many turns in a row may be passed on by newcomers. Each passes on 0.9 at the most: 64 in a row do once in 850. */
const mostPassedOn = 64

/** The instances that one kind of call may go to, and where each strategy stands among them. */
export class Group {
  readonly #endpoints: Endpoints
  readonly #maxEjected: number
  readonly #random: Random
  readonly #strategies = new Map<string, Strategy>()
  readonly #probes = new Probes()
  readonly #mayChoose: MayPick = (endpoint, context) =>
    isOpen(endpoint, context) && !this.#probes.isClosed(endpoint, context)

  #instances: readonly ServiceInstance[] = []
  #roster: Roster
  /** What functions saw last, beside the candidates. */
  #listed: readonly Endpoint[] = []
  /** While the clock is before this, a candidate is new. */
  #slowStartEnd = -Infinity
  #turns = 0
  #updateAt = 0
  #pickedAt = -Infinity

  /** @param maxEjected 0 to 1: the share that may be left out */
  constructor (endpoints: Endpoints, maxEjected: number, random: Random) {
    this.#endpoints = endpoints
    this.#maxEjected = maxEjected
    this.#random = random
    this.#roster = new Roster([], maxEjected)
  }

  /**
   * Where the next attempt goes; `undefined` if every instance was tried or is full, or the strategy wants none. A
   * function of the user's may want one that is full.
   *
   * @throws FST_CONSUL_INVALID_OPTION, and whatever else a strategy of the user's own throws
   */
  pick (
    instances: readonly ServiceInstance[], choice: StrategyChoice, context: PickContext
  ): Endpoint | undefined {
    return this.pickCandidate(instances, choice, context) ?? this.pickLastResort(choice, context)
  }

  /**
   * The same without the last resort.
   *
   * @throws as `pick()`
   */
  pickCandidate (
    instances: readonly ServiceInstance[], choice: StrategyChoice, context: PickContext
  ): Endpoint | undefined {
    if (this.#isOutdated(instances, context)) this.#update(instances, context.now)
    this.#pickedAt = context.now
    const picked = this.#pick(choice, context)
    if (picked?.gone !== true) return picked
    // It has left another list, and stands in this one still.
    this.#update(instances, context.now)
    return this.#pick(choice, context)
  }

  /** Whether a pick would find one that is not full. */
  hasOpen (instances: readonly ServiceInstance[], choice: StrategyChoice, context: PickContext): boolean {
    if (this.#isOutdated(instances, context)) this.#update(instances, context.now)
    const { candidates, members, spare, ejected } = this.#roster
    if (candidates.some(endpoint => isOpen(endpoint, context))) return true
    if (this.isChosenByCall(choice) && members.some(endpoint => this.#mayChoose(endpoint, context))) return true
    return !this.#hasCandidate(choice, context) && [...spare, ...ejected].some(endpoint => isOpen(endpoint, context))
  }

  /** Without a pick from the list: whether there is somewhere to go, but not now. */
  isFull (choice: StrategyChoice, context: PickContext): boolean {
    return typeof choice !== 'function' && this.#hasCandidate(choice, context)
  }

  /** With all candidates of the list of the pick before tried: those of weight 0, then the ejected ones. */
  pickLastResort (choice: StrategyChoice, context: PickContext): Endpoint | undefined {
    if (this.#hasCandidate(choice, context)) return undefined
    const found = this.#roster.lastResort(context)
    if (found?.gone !== true) return found
    this.#update(this.#instances, context.now)
    return this.#roster.lastResort(context)
  }

  /** Whether the call itself decides where it goes. */
  isChosenByCall (choice: StrategyChoice): boolean {
    return this.#strategy(choice).goesBy === 'choice'
  }

  #pick (choice: StrategyChoice, context: PickContext): Endpoint | undefined {
    const strategy = this.#strategy(choice)
    if (strategy.goesBy === 'choice') return this.#choose(strategy, typeof choice === 'function', context)
    const due = context.now >= this.#probes.dueAt ? this.#probes.take(context) : undefined
    if (due !== undefined) return due
    const { candidates } = this.#roster
    if (candidates.length === 0) return undefined
    const isSlowStart = context.now < this.#slowStartEnd && strategy.goesBy === 'turn' && context.tried.length === 0
    return isSlowStart ? this.#pickInSlowStart(strategy, context) : strategy.pick(candidates, context)
  }

  #choose (strategy: Strategy, isFunction: boolean, context: PickContext): Endpoint | undefined {
    const list = isFunction ? this.#listFor(context) : this.#roster.members
    if (list.length === 0) return undefined
    const endpoint = strategy.pick(list, context, this.#mayChoose)
    if (endpoint?.ejection !== undefined && context.sends) endpoint.claim(context.now)
    return endpoint
  }

  /** What a function sees: the same list as long as nothing changes. */
  #listFor (context: PickContext): readonly Endpoint[] {
    const { members, candidates } = this.#roster
    if (this.#probes.areAllClosed(context)) return candidates
    this.#listed = kept(this.#listed, members.filter(endpoint => !this.#probes.isClosed(endpoint, context)))
    return this.#listed
  }

  /** Whether there is one to go to that the call has not been to. */
  #hasCandidate (choice: StrategyChoice, context: PickContext): boolean {
    const { candidates } = this.#roster
    return candidates.some(endpoint => !context.tried.includes(endpoint)) ||
      (this.isChosenByCall(choice) && this.#probes.mayChoose(context))
  }

  /** Newcomers pass some of their turns on; not those of calls that have been elsewhere, which have nobody better. */
  #pickInSlowStart (strategy: Strategy, context: PickContext): Endpoint | undefined {
    const { candidates } = this.#roster
    let endpoint = strategy.pick(candidates, context)
    for (let passed = 0; passed < mostPassedOn && endpoint !== undefined; passed++) {
      const share = turnShareOf(endpoint, context.now)
      if (share === 1 || this.#random() < share) break
      endpoint = strategy.pick(candidates, context)
    }
    return endpoint
  }

  #isOutdated (instances: readonly ServiceInstance[], context: PickContext): boolean {
    if (instances !== this.#instances) return true
    return this.#turns !== this.#endpoints.turns && context.now >= this.#updateAt
  }

  #update (instances: readonly ServiceInstance[], now: number): void {
    const endpoints = instances.map(instance => this.#endpoints.of(instance, now))
    const before = instances === this.#instances ? this.#roster : undefined
    welcome(endpoints, this.#pickedAt, now)
    this.#roster = new Roster(endpoints, this.#maxEjected, before)
    this.#slowStartEnd = slowStartEnd(this.#roster.candidates)
    this.#probes.watch(this.#roster.ejected)
    this.#instances = instances
    this.#turns = this.#endpoints.turns
    this.#updateAt = now + instances.length * updatePause
  }

  #strategy (choice: StrategyChoice): Strategy {
    // A function keeps no state here, and may be another one in every call.
    if (typeof choice === 'function') return createStrategy(choice, this.#random)
    const known = this.#strategies.get(choice)
    if (known !== undefined) return known
    const strategy = createStrategy(choice, this.#random)
    this.#strategies.set(choice, strategy)
    return strategy
  }
}
