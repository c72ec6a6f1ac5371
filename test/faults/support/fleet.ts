import type { ConsulOptions } from '../../../lib/index.ts'
import { freePorts } from '../../support/ports.ts'
import { until } from '../../support/wait.ts'
import type { FaultContext } from '../fault.ts'
import type { LoadReport } from './load.ts'
import type { Got } from './member-process.ts'
import { startMember, type Member } from './member.ts'

export const service = 'worker'

export interface FleetOptions {
  /** Of the agent. */
  url: string
  /** Default 3. */
  size?: number
  /** Of everyone. */
  options?: ConsulOptions
  /** Of the caller, over `options`. */
  caller?: ConsulOptions
  /** The port by which others reach an instance that listens on `port`. Default: the same. */
  front? (port: number): Promise<number>
}

/** Some instances of a service, and a service that calls them. */
export interface Fleet {
  instances: Instance[]
  caller: Member
}

export interface Instance {
  id: string
  /** The one that others know. */
  port: number
  /** Its process, or the last one that it had. */
  member: Member
  /** The requests for work that it got, whatever process it had. */
  got: Got[]
  /** Starts it again, on its port and under its id. */
  start (): Promise<void>
}

export async function startFleet (
  t: FaultContext, { url, size = 3, options = {}, caller = {}, front }: FleetOptions
): Promise<Fleet> {
  const all: ConsulOptions = { url, check: { interval: '1s', timeout: '1s' }, ...options }
  const own = await freePorts(size)
  const starting = startMember(t, { options: { ...all, service: { name: 'caller', id: 'caller' }, ...caller } })
  const instances = await Promise.all(own.map(async (listening, index): Promise<Instance> => {
    const id = `${service}-${index + 1}`
    const got: Got[] = []
    const port = await front?.(listening) ?? listening
    const memberOptions = { port: listening, got, options: { ...all, service: { name: service, id, port } } }
    const start = (): Promise<Member> => startMember(t, memberOptions)
    const instance = { id, port, got, member: await start(), start: async () => { instance.member = await start() } }
    return instance
  }))
  const fleet = { instances, caller: await starting }
  await until(async () => (await fleet.caller.discover(service)).length === size,
    { timeout: 20_000, what: 'the caller to know every instance' })
  await until(async () => {
    const states = await Promise.all(members(fleet).map(member => member.registration()))
    return states.every(state => state === 'registered')
  }, { what: 'everyone to be registered' })
  return fleet
}

export function idsOf ({ instances }: Fleet): string[] {
  return instances.map(({ id }) => id)
}

export function members ({ instances, caller }: Fleet): Member[] {
  return [...instances.map(({ member }) => member), caller]
}

/** How many requests for work the instances got. */
export function attempts ({ instances }: Fleet): number {
  return instances.reduce((sum, { got }) => sum + got.length, 0)
}

/** All that everyone who runs now has asked of Consul. */
export async function queries (fleet: Fleet): Promise<number> {
  const counts = await Promise.all(members(fleet).map(member => member.queries()))
  return counts.reduce((sum, { reads, writes }) => sum + reads + writes, 0)
}

/** When, after `since`, the caller under load came to list exactly these instances. */
export async function listed (
  { caller }: Fleet, ids: readonly string[], since: number, timeout = 30_000
): Promise<number> {
  const wanted = [...ids].sort().join()
  let last: LoadReport['lists'][number] | undefined
  const isListed = async (): Promise<boolean> => {
    last = (await caller.lists()).at(-1)
    return last?.ids.join() === wanted
  }
  await until(isListed, { timeout, what: `the caller to list ${wanted}` }).catch(error => {
    throw new Error(`${error.message}: ${last?.ids.join()}`, { cause: error })
  })
  return Math.max(last?.at ?? 0, since)
}

export function shortest (lists: LoadReport['lists']): number {
  return Math.min(...lists.map(({ ids }) => ids.length))
}

/** A sentence for the verdict when a POST was done more than once. */
export function twice ({ instances }: Fleet): string | false {
  const posts = instances.flatMap(({ got }) => got).filter(({ method }) => method === 'POST').map(({ got }) => got)
  const more = posts.length - new Set(posts).size
  return more > 0 && `${more} POSTs were done twice`
}

/** The part of the requests for work that an instance got in that time, 0 to 1. */
export function shareOf ({ instances }: Fleet, { id }: Instance, from: number, to: number): number {
  const counts = new Map(instances.map(({ id, got }) => [id, got.filter(({ at }) => at > from && at < to).length]))
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0)
  return (counts.get(id) ?? 0) / all
}
