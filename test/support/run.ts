import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** Runs a command to its end. Rejects when it cannot be started or exits with anything but 0. */
export const run = promisify(execFile)
