// Tracing with OpenTelemetry: loaded before a service, of which nothing changes. Spans go to the console.
//
//   SERVICE_NAME=l01-data-layer node --import tsx --import ./examples/tracing.ts examples/minimal.ts
//
// Environment: SERVICE_NAME, by which the spans are known, and what the service itself wants.
import { FastifyOtelInstrumentation } from '@fastify/otel'
import { registerInstrumentations } from '@opentelemetry/instrumentation'
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, ConsoleSpanExporter, NodeTracerProvider } from '@opentelemetry/sdk-trace-node'

const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ 'service.name': process.env.SERVICE_NAME }),
  spanProcessors: [new BatchSpanProcessor(new ConsoleSpanExporter())]
})
provider.register()
registerInstrumentations({
  instrumentations: [
    new FastifyOtelInstrumentation({ registerOnInitialization: true, ignorePaths: '/health/*' }),
    new UndiciInstrumentation({ requireParentforSpans: true })
  ]
})
process.once('beforeExit', () => provider.shutdown())
