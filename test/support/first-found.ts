export interface Place<T> {
  name: string
  /** Rejects when there is none in this place. */
  find: () => Promise<T>
}

/** What the first place has to give. When none has anything, the error says what to install and where it was looked. */
export async function firstFound<T> (what: string, install: string, places: ReadonlyArray<Place<T>>): Promise<T> {
  const misses: string[] = []
  for (const { name, find } of places) {
    try {
      return await find()
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      misses.push(`  ${name}: ${reason.trim().split('\n')[0]}`)
    }
  }
  throw new Error(`No ${what} found: ${install}. Looked for:\n${misses.join('\n')}`)
}

/** The value of an environment variable that must be set. */
export function fromEnvironment (variable: string): string {
  const value = process.env[variable]
  if (value === undefined || value === '') throw new Error(`${variable} is not set`)
  return value
}
