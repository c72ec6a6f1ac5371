import type { Logger } from '../../lib/logger.ts'

export interface Line {
  level: keyof Logger
  details: object | undefined
  message: string | undefined
}

/** A logger that keeps its lines. */
export function collectingLogger (): { logger: Logger, lines: Line[] } {
  const lines: Line[] = []
  const log = (level: keyof Logger) => (first: object | string, second?: string): void => {
    if (typeof first === 'string') lines.push({ level, details: undefined, message: first })
    else lines.push({ level, details: first, message: second })
  }
  return {
    lines,
    logger: { trace: log('trace'), debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
  }
}
