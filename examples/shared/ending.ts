/** How an example ends. */
export interface Ending {
  code: number
  message: string
}

/** Not with `once()`: some libraries end a process when its last listener but their own is gone. */
export async function interrupted (): Promise<Ending> {
  return await new Promise(resolve => {
    process.on('SIGINT', () => resolve({ code: 130, message: 'Interrupted' }))
    process.on('SIGTERM', () => resolve({ code: 143, message: 'Terminated' }))
    process.on('SIGHUP', () => resolve({ code: 129, message: 'Hung up' }))
    process.stdout.on('error', () => resolve({ code: 141, message: 'Nobody reads this' }))
  })
}
