import { fault as blockedLoop } from './blocked-loop.ts'
import { fault as churnOfOthers } from './churn-of-others.ts'
import { fault as churnOfOwn } from './churn-of-own.ts'
import { fault as connectionLimit } from './connection-limit.ts'
import type { Fault } from './fault.ts'
import { fault as flappingCheck } from './flapping-check.ts'
import { fault as manyClients } from './many-clients.ts'
import { fault as tenThousandInstances } from './ten-thousand-instances.ts'
import { fault as thousandServices } from './thousand-services.ts'
import { fault as unknownService } from './unknown-service.ts'
import { fault as wrongAnswers } from './wrong-answers.ts'

/** The faults of very many things, and of things that change very often. */
export const scaleFaults: readonly Fault[] = [
  flappingCheck,
  unknownService,
  manyClients,
  tenThousandInstances,
  thousandServices,
  connectionLimit,
  churnOfOthers,
  churnOfOwn,
  blockedLoop,
  wrongAnswers
]
