import { randomBytes } from 'node:crypto'
import { get, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { FastifyOtelInstrumentation } from '@fastify/otel'
import { diag, DiagLogLevel, SpanKind } from '@opentelemetry/api'
import { registerInstrumentations } from '@opentelemetry/instrumentation'
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'
import {
  InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor, type ReadableSpan
} from '@opentelemetry/sdk-trace-node'
import { once, until } from './wait.ts'

/** Every span of this process, from here on. */
export class Spans {
  /** What OpenTelemetry says of wrong use, as of a span that ends twice. */
  readonly complaints: string[] = []
  readonly #exporter = new InMemorySpanExporter()
  readonly #open = new Map<string, ReadableSpan>()

  constructor () {
    const complain = (...words: unknown[]): void => { this.complaints.push(words.join(' ')) }
    const mute = (): void => {}
    diag.setLogger({ error: complain, warn: complain, info: mute, debug: mute, verbose: mute }, DiagLogLevel.WARN)
    const counter = {
      onStart: (span: ReadableSpan) => { this.#open.set(span.spanContext().spanId, span) },
      onEnd: (span: ReadableSpan) => { this.#open.delete(span.spanContext().spanId) },
      forceFlush: async () => {},
      shutdown: async () => {}
    }
    new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(this.#exporter), counter] }).register()
    const fastify = new FastifyOtelInstrumentation({ registerOnInitialization: true })
    registerInstrumentations({ instrumentations: [fastify, new UndiciInstrumentation()] })
  }

  /** All that have ended. */
  get ended (): readonly ReadableSpan[] { return this.#exporter.getFinishedSpans() }

  /** Those of them that went to a path, with whatever query. */
  to (path: string): ReadableSpan[] {
    return this.ended.filter(({ kind, attributes }) => kind === SpanKind.CLIENT && attributes['url.path'] === path)
  }

  /** The requests of a trace that came and went, once all of it has ended: indented under what they are part of. */
  async treeOf (trace: Trace): Promise<string[]> {
    await until(() => [...this.#open.values()].every(span => !trace.has(span)), { what: 'every span to end' })
    const all = this.ended.filter(span => trace.has(span)).sort((a, b) => order(a) - order(b))
    const under = (parent: string, depth: number): string[] => all
      .filter(({ parentSpanContext }) => parentSpanContext?.spanId === parent)
      .flatMap(span => {
        const children = (depth: number) => under(span.spanContext().spanId, depth)
        return span.kind === SpanKind.INTERNAL ? children(depth) : [labelOf(span, depth), ...children(depth + 1)]
      })
    return under(trace.caller, 0)
  }
}

/** A request that comes from someone who is traced already. */
export class Trace {
  readonly id = randomBytes(16).toString('hex')
  /** The span of whoever sends it. */
  readonly caller = randomBytes(8).toString('hex')

  has (span: ReadableSpan): boolean { return span.spanContext().traceId === this.id }

  /** Sends it, untraced itself, and gives the body of the answer. */
  async get (url: string): Promise<string> {
    const headers = { traceparent: `00-${this.id}-${this.caller}-01` }
    return await text(await once<IncomingMessage>(get(url, { headers, agent: false }), 'response', 20_000))
  }
}

const order = ({ startTime: [seconds, nanoseconds] }: ReadableSpan): number => seconds * 1e3 + nanoseconds / 1e6

function labelOf ({ kind, attributes }: ReadableSpan, depth: number): string {
  const { 'url.path': path, 'server.address': host, 'http.response.status_code': status = 'failed' } = attributes
  return `${'  '.repeat(depth)}${kind === SpanKind.SERVER ? 'in' : `to ${host}`} ${path}: ${status}`
}
