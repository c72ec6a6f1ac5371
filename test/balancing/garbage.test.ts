import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import type { PickFigures } from '../../bench/picks.ts'
import { strategyNames } from '../../lib/balancing/strategies.ts'
import { childEnvironment } from '../support/child-environment.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const args = ['--expose-gc', '--import', './scripts/strip-types.js', 'bench/support/pick-process.ts']

// Where coverage is measured the compiler makes other code.
const env = childEnvironment()

for (const strategy of strategyNames) {
  t.test(`a pick with ${strategy} leaves nothing to the garbage collector, whoever is ejected`, async t => {
    const command = [...args, strategy, '5000', '3', '64']
    const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: root, env })
    for (const { group, instances, garbage } of JSON.parse(stdout) as PickFigures[]) {
      // The smallest object has 24 bytes.
      t.equal(garbage < 20, true, `${garbage} bytes: ${group}, ${instances} instances`)
    }
  })
}
