/** Answers every SIGUSR2 with a line of figures, as `Subject` reads them. */
export function answerWith (figures: () => object | Promise<object>): void {
  let asked = 0
  // What is looked at keeps no process alive.
  setInterval(() => {}, 60_000)
  process.on('SIGUSR2', async () => {
    const number = ++asked
    console.log(`figures ${number} ${JSON.stringify(await figures())}`)
  })
  console.log('ready')
}

/** The heap in MB, without what can be collected. Needs `--expose-gc`. */
export async function heapInUse (): Promise<number> {
  for (let round = 0; round < 4; round++) {
    globalThis.gc?.()
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  return process.memoryUsage().heapUsed / 1e6
}
