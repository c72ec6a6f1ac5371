import { typeScript } from '../../support/children.ts'
import { Script, startScript } from '../../support/process.ts'
import type { Teardown } from '../../support/teardown.ts'

/** A process that a fault is made around, and that says how it fares when it is asked. */
export class Subject<T> {
  readonly script: Script
  #asked = 0

  constructor (script: Script) {
    this.script = script
  }

  async figures (): Promise<T> {
    const start = `figures ${++this.#asked} `
    this.script.signal('SIGUSR2')
    const line = await this.script.line(new RegExp(`^${start}`), 60_000)
    return JSON.parse(line.slice(start.length)) as T
  }
}

/** Starts a script of the folder `subjects`, with its settings as JSON, and waits until it is ready. */
export async function startSubject<T> (t: Teardown, name: string, settings: object): Promise<Subject<T>> {
  const script = await startScript(t, new URL(`../subjects/${name}.ts`, import.meta.url), {
    args: [JSON.stringify(settings)],
    nodeArgs: ['--expose-gc', ...typeScript]
  })
  await script.line(/^ready$/, 60_000)
  return new Subject<T>(script)
}
