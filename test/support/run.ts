import { execFile, type ExecFileOptions } from 'node:child_process'
import { promisify } from 'node:util'
import { childEnvironment } from './child-environment.ts'

const execute = promisify(execFile)

/** Runs a command to its end. Rejects when it cannot be started or exits with anything but 0. */
export async function run (
  command: string, args: readonly string[], options: ExecFileOptions = {}
): Promise<{ stdout: string, stderr: string }> {
  return execute(command, args, { ...options, encoding: 'utf8', env: childEnvironment(options.env) })
}
