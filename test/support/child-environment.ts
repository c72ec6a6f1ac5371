/**
 * The environment for a child process. tap measures coverage in every Node process below it; but what tsx compiles it
 * takes for covered in full, and with that the whole report is wrong. So only the tests themselves are measured.
 */
export function childEnvironment (env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return { ...env, _TAPJS_PROCESSINFO_COVERAGE_: '0' }
}
