import { parseAllDocuments } from 'yaml'
import { parseDuration } from '../../lib/duration.ts'
import { wrongCommand, wrongPatience, wrongRoute } from './supervision.ts'
import { eachBlock } from './tester.ts'

interface Pod {
  terminationGracePeriodSeconds?: number
  containers: Array<{
    command?: unknown
    readinessProbe?: Probe
    livenessProbe?: Probe
    lifecycle?: { preStop?: { exec?: { command: unknown[] }, sleep?: { seconds: number } } }
  }>
}

interface Probe {
  httpGet?: { path?: unknown, port?: unknown }
}

interface ComposeService {
  image?: string
  command?: unknown
  stop_grace_period?: string
}

/** Parsed; pods and Compose files must let a service leave in good order. Anything else has no tester yet. */
export const yaml = eachBlock(({ text }) => parseAllDocuments(text).flatMap(document => {
  const faults = [...document.errors, ...document.warnings].map(({ message }) => message)
  if (faults.length > 0) return faults
  const content = document.toJS() as { spec?: { template?: { spec?: Pod } } & Partial<Pod>, services?: object }
  const pod = content.spec?.template?.spec ?? content.spec
  if (pod?.containers !== undefined) return wrongInPod(pod as Pod)
  if (content.services !== undefined) return Object.values(content.services).flatMap(wrongInService)
  return ['nothing tests this kind of yaml']
}))

function wrongInPod ({ terminationGracePeriodSeconds: patience = 30, containers }: Pod): string[] {
  return containers.flatMap(({ command, readinessProbe: ready, livenessProbe: live, lifecycle }) => {
    const { exec, sleep } = lifecycle?.preStop ?? {}
    const before = sleep?.seconds ?? Number(exec?.command[1] ?? 0)
    return [
      ...wrongCommand(command),
      ...wrongRoute('readyPath', ready?.httpGet?.path),
      ...wrongRoute('livePath', live?.httpGet?.path),
      ...(ready?.httpGet?.port === live?.httpGet?.port ? [] : ['the probes must ask the same port']),
      ...(exec === undefined || exec.command[0] === 'sleep' ? [] : ['nothing tests a preStop that does not sleep']),
      ...wrongPatience('terminationGracePeriodSeconds without preStop', (patience - before) * 1000)
    ]
  })
}

function wrongInService ({ image, command, stop_grace_period: patience = '10s' }: ComposeService): string[] {
  return [
    ...(image === undefined ? ['a service without an image'] : []),
    ...wrongCommand(command),
    ...wrongPatience('stop_grace_period', parseDuration(patience))
  ]
}
