import underPressure, { type FastifyUnderPressureOptions } from '@fastify/under-pressure'
import type { FastifyInstance } from 'fastify'
import type { Measured } from './pressure-check.ts'

/**
 * Measures in `child`, an encapsulated child of `app`, where neither its decorators nor its hook reach the app's. An
 * app that registers @fastify/under-pressure itself, before or afterwards, is asked instead: its limits are the app's.
 */
export async function measurePressure (
  app: FastifyInstance,
  child: FastifyInstance,
  options: Readonly<FastifyUnderPressureOptions>
): Promise<Measured> {
  if (app.hasDecorator('isUnderPressure')) return app
  await child.register(underPressure, { ...options }) // A copy: it writes into its options.
  return {
    isUnderPressure: () => (app.hasDecorator('isUnderPressure') ? app : child).isUnderPressure()
  }
}
