import type { Teardown } from '../../test/support/teardown.ts'

/** Runs one part of the benchmark; what it has started ends with it, the last started first. */
export async function scoped<T> (part: (scope: Teardown) => Promise<T>): Promise<T> {
  const steps: (() => unknown)[] = []
  try {
    return await part({ teardown: step => { steps.push(step) } })
  } finally {
    for (const step of steps.reverse()) await step()
  }
}
