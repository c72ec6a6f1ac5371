// What the reader of a page has at hand where a block does not say where it comes from.
import type { FastifyInstance } from 'fastify'
import type {} from 'fastify-consul'
import type { Redis } from 'ioredis'
import type { Pool } from 'pg'
import type { Counter } from 'prom-client'

declare global {
  /** Their app. It has the plugin already where the block does not register it. */
  var app: FastifyInstance
  var pool: Pool
  var redis: Redis
  /** A metric of their own. */
  var attempts: Counter
}
