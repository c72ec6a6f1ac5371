import type { CheckResult, HealthStatus } from './check.ts'

const statuses: readonly unknown[] = ['healthy', 'degraded', 'unhealthy']
const longestMessage = 500

/**
 * What a check means by the value that it resolved to. A status (alone or as `{ status, message }`) is taken at its
 * word, any other answer, a database's say, is as good as none: healthy. What was meant as a status and is none
 * (`false`, a number, another string) must not pass for healthy.
 */
export function resultOf (value: unknown): CheckResult {
  if (value === undefined || value === null || value === true) return { status: 'healthy' }
  if (isStatus(value)) return { status: value }
  if (typeof value !== 'object') return unreadable(value)
  if (!('status' in value)) return { status: 'healthy' }
  const { status } = value
  if (!isStatus(status)) return unreadable(status)
  const message = 'message' in value ? value.message : undefined
  return typeof message === 'string' ? { status, message: shortened(message) } : { status }
}

export function unhealthy (message: string): CheckResult {
  return { status: 'unhealthy', message }
}

/** The text of whatever was thrown, which need not be an error; never throws itself. */
export function messageOf (error: unknown): string {
  try {
    return shortened(textOf(error))
  } catch {
    return 'failed with an error that cannot be read'
  }
}

function isStatus (value: unknown): value is HealthStatus {
  return statuses.includes(value)
}

function unreadable (value: unknown): CheckResult {
  const shown = typeof value === 'string' ? JSON.stringify(shortened(value)) : String(value)
  return unhealthy(`resolved to ${shown}, which is none of healthy, degraded and unhealthy`)
}

function textOf (error: unknown): string {
  if (error === undefined || error === null) return 'failed without a reason'
  if (typeof error !== 'object') return String(error)
  if ('message' in error && typeof error.message === 'string' && error.message !== '') return error.message
  // A refused connection to a name with several addresses is an AggregateError without a message.
  if ('errors' in error && Array.isArray(error.errors)) return error.errors.map(textOf).join('; ')
  if ('code' in error && typeof error.code === 'string') return error.code
  return String(error)
}

function shortened (text: string): string {
  return text.length > longestMessage ? `${text.slice(0, longestMessage)}…` : text
}
