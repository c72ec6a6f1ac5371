import type { Random } from '../clock.ts'
import type { ConsulOptions } from '../options/types.ts'
import { resolveOptions } from '../options/resolve.ts'
import { isObject, readAnswer, statusError } from './answer.ts'
import { instanceOf, isHealthAnswer, statusOf } from './health-entry.ts'
import type { ServiceInstance } from './instance.ts'
import { readParameters, type CallOptions, type HealthQuery, type ReadOptions } from './query.ts'
import { wireDefinition, type ServiceDefinition } from './service-definition.ts'
import { encodeName } from './service-name.ts'
import { Token } from './token.ts'
import {
  Transport, type ApiRequest, type ApiResponse, type BlockingConnections, type ConnectionOptions, type Lane,
  type QueryParameters
} from './transport.ts'
import { longestWait, waitOf, type BlockingOptions } from './wait.ts'
import type {
  Answer, CheckStatus, Right, WireAgentSelf, WireCheck, WireHealthEntry, WireRight, WireService
} from './wire.ts'

export type ClientOptions = Pick<ConsulOptions,
  'url' | 'token' | 'tokenFile' | 'tls' | 'datacenter' | 'namespace' | 'partition' | 'timeout'>

/** What the owner of a client may decide besides its options. */
export interface ClientParts {
  /** Options that were resolved already, in the place of those given. */
  readonly resolved?: ConnectionOptions & { readonly datacenter: string | undefined }
  /** Default: 8 blocking queries at once, which keep the process alive as other requests do. */
  readonly blocking?: BlockingConnections
  /** Default: the one of the options. */
  readonly token?: Token
  readonly random?: Random
  /** Is between every request and its answer. */
  readonly meter?: RequestMeter | undefined
}

/** Sends a request, and measures what comes of it. */
export type RequestMeter = (request: ApiRequest, send: () => Promise<ApiResponse>) => Promise<ApiResponse>

/** What Consul lets one ask at once: https://github.com/hashicorp/consul/blob/main/agent/acl_endpoint.go */
const mostRights = 64

/**
 * Consul's HTTP API, as far as it is needed here: promises, no state but the connections, no retries but one: a 403
 * asks for the token again, and another one is tried once.
 */
export class ConsulClient implements AsyncDisposable {
  readonly #transport: Transport
  readonly #datacenter: string | undefined
  readonly #timeout: number
  readonly #random: Random
  readonly #meter: RequestMeter | undefined

  /**
   * @param options What is not given comes from the environment.
   * @param parts For the registry.
   * @throws FST_CONSUL_INVALID_OPTION
   */
  constructor (options: ClientOptions = {}, parts: ClientParts = {}) {
    const { resolved = resolveOptions(options), blocking = { limit: 8, keepAlive: true }, random = Math.random } = parts
    this.#transport = new Transport(resolved, parts.token ?? new Token(resolved.token), blocking)
    this.#datacenter = resolved.datacenter
    this.#timeout = resolved.timeout
    this.#random = random
    this.#meter = parts.meter
  }

  /** The address by which this machine reaches the agent, once it has answered. */
  get localAddress (): string | undefined {
    return this.#transport.localAddress
  }

  /** Registers a service at the agent, or changes it. The agent tells the catalog afterwards. @returns its id */
  async registerService (
    definition: ServiceDefinition, options: CallOptions & { replaceExistingChecks?: boolean } = {}
  ): Promise<string> {
    const { name, id = name } = definition
    for (const part of [name, id]) encodeName(part)
    await this.#write('/agent/service/register', {
      query: { 'replace-existing-checks': options.replaceExistingChecks },
      body: wireDefinition(definition)
    }, options)
    return id
  }

  /** Removes a service from the agent. Consul before 1.11 says nothing of an id that it does not know. */
  async deregisterService (id: string, options: CallOptions = {}): Promise<void> {
    await this.#write(`/agent/service/deregister/${encodeName(id)}`, {}, options)
  }

  /** Takes a service out of discovery until it is called with `false`; the agent remembers over restarts. */
  async setMaintenance (id: string, on: boolean, reason = '', options: CallOptions = {}): Promise<void> {
    await this.#write(`/agent/service/maintenance/${encodeName(id)}`, {
      query: { enable: String(on), reason: reason === '' ? undefined : reason }
    }, options)
  }

  /** Sets status and output of a TTL check and starts its time anew. */
  async updateCheck (
    checkId: string, status: CheckStatus, output: string, options: CallOptions = {}
  ): Promise<void> {
    await this.#write(`/agent/check/update/${encodeName(checkId)}`, {
      body: { Status: status, Output: output }
    }, options)
  }

  async deregisterCheck (checkId: string, options: CallOptions = {}): Promise<void> {
    await this.#write(`/agent/check/deregister/${encodeName(checkId)}`, {}, options)
  }

  /** Every instance of a service with all its checks, healthy or not. With `index` a blocking query. */
  async health (name: string, query: HealthQuery = {}): Promise<Answer<WireHealthEntry[]>> {
    const { index, tag, filter, near, passing } = query
    const lane = index === undefined ? 'catalog' : 'blocking'
    const wait = index === undefined ? undefined : waitOf(query)
    return await this.#read(`/health/service/${encodeName(name)}`, {
      ...readParameters(query, this.#datacenter), index, wait, tag, filter, near, passing
    }, { ...query, lane }, isHealthAnswer)
  }

  /** The instances that are passing or in warning. */
  async discoverService (name: string, query: HealthQuery = {}): Promise<ServiceInstance[]> {
    const { value } = await this.health(name, query)
    return value.flatMap(entry => {
      const status = statusOf(entry.Checks)
      if (status !== 'passing' && status !== 'warning') return []
      return [instanceOf(entry, status, query.datacenter ?? this.#datacenter ?? '')]
    })
  }

  /** The address of one healthy instance, chosen at random, or `null`. */
  async getServiceAddress (
    name: string, query: HealthQuery = {}
  ): Promise<{ address: string, port: number, instance: ServiceInstance } | null> {
    const instances = await this.discoverService(name, query)
    const instance = instances[Math.floor(this.#random() * instances.length)]
    return instance === undefined ? null : { address: instance.address, port: instance.port, instance }
  }

  /** What the agent itself knows of a service of its own. With `hash` a blocking query. */
  async agentService (
    id: string, query: CallOptions & BlockingOptions & { hash?: string | undefined } = {}
  ): Promise<Answer<WireService>> {
    const { hash } = query
    const lane = hash === undefined ? 'agent' : 'blocking'
    const wait = hash === undefined ? undefined : waitOf(query)
    return await this.#read(`/agent/service/${encodeName(id)}`, { hash, wait }, { ...query, lane }, isObject)
  }

  /** The checks of one of the agent's own services, by check id. */
  async agentChecks (serviceId: string, options: CallOptions = {}): Promise<Record<string, WireCheck>> {
    // Consul's filters have no way to write a quote.
    const filter = serviceId.includes('"') ? undefined : `ServiceID == ${JSON.stringify(serviceId)}`
    const { value } = await this.#read<Record<string, WireCheck>>('/agent/checks', { filter }, options, isObject)
    return Object.fromEntries(Object.entries(value).filter(([, check]) => check.ServiceID === serviceId))
  }

  /** Every service of the catalog with all its tags. */
  async listServices (options: ReadOptions = {}): Promise<Record<string, string[]>> {
    const { value } = await this.#read<Record<string, string[]>>(
      '/catalog/services', readParameters(options, this.#datacenter), { ...options, lane: 'catalog' }, isObject)
    return Object.assign(Object.create(null), value)
  }

  async agentSelf (options: CallOptions = {}): Promise<WireAgentSelf> {
    const { value } = await this.#read<WireAgentSelf>('/agent/self', {}, options, isObject)
    return value
  }

  /** The address of the cluster's leader; empty during an election. */
  async leader (options: CallOptions = {}): Promise<string> {
    const { value } = await this.#read<string>('/status/leader', {}, options, value => typeof value === 'string')
    return value
  }

  /** Resolves if the agent answers at all, over a new connection: one that exists may be dead. */
  async ping (options: CallOptions = {}): Promise<void> {
    await this.#read('/status/leader', {}, { ...options, lane: 'probe' }, () => true)
  }

  /**
   * Whether the token has each of these rights. Consul answers 401 without access control; it does not document this
   * endpoint, so that any error means no more than that it cannot say.
   */
  async authorize (rights: readonly Right[], options: CallOptions = {}): Promise<boolean[]> {
    const allowed: boolean[] = []
    for (let from = 0; from < rights.length; from += mostRights) {
      allowed.push(...await this.#authorize(rights.slice(from, from + mostRights), options))
    }
    return allowed
  }

  /** Ends every connection; requests under way fail. */
  async close (): Promise<void> {
    await this.#transport.close()
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.close()
  }

  async #authorize (rights: readonly Right[], options: CallOptions): Promise<boolean[]> {
    const path = '/internal/acl/authorize'
    const body = rights.map(({ resource, access, name }) => ({ Resource: resource, Access: access, Segment: name }))
    const deadline = options.timeout ?? this.#timeout
    const { signal } = options
    const response = await this.#send({ method: 'POST', path, body, deadline, lane: 'catalog', signal })
    const { value } = readAnswer<WireRight[]>(`POST /v1${path}`, response, isListOf(rights.length))
    return value.map(right => right.Allow)
  }

  async #write (path: string, rest: Pick<ApiRequest, 'query' | 'body'>, options: CallOptions): Promise<void> {
    const deadline = options.timeout ?? this.#timeout
    await this.#send({ method: 'PUT', path, ...rest, body: rest.body ?? {}, deadline, signal: options.signal })
  }

  async #read<T> (
    path: string, query: QueryParameters, options: CallOptions & BlockingOptions & { lane?: Lane },
    isExpected: (value: unknown) => boolean
  ): Promise<Answer<T>> {
    const { lane = 'agent', signal } = options
    const deadline = (options.timeout ?? this.#timeout) + (lane === 'blocking' ? longestWait(options) : 0)
    const response = await this.#send({ method: 'GET', path, query, deadline, lane, signal })
    return readAnswer(`GET /v1${path}`, response, isExpected)
  }

  async #send (request: ApiRequest): Promise<ApiResponse> {
    const send = () => this.#exchange(request)
    return await (this.#meter === undefined ? send() : this.#meter(request, send))
  }

  async #exchange (request: ApiRequest): Promise<ApiResponse> {
    const response = await this.#transport.send(request)
    if (response.status === 200) return response
    throw statusError(`${request.method} /v1${request.path}`, response)
  }
}

const isListOf = (length: number) => (value: unknown): boolean => Array.isArray(value) && value.length === length
