type LogFunction = {
  (details: object, message?: string): void
  (message: string): void
}

/** What is needed of a logger: pino, `app.log` and their like have it. */
export interface Logger {
  trace: LogFunction
  debug: LogFunction
  info: LogFunction
  warn: LogFunction
  error: LogFunction
}
