/** Milliseconds since the machine's start: the same in all of its processes, and no change of the date moves them. */
export const now = (): number => Number(process.hrtime.bigint() / 1000n) / 1000
