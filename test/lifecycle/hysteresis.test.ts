import t from 'tap'
import type { CheckStatus } from '../../lib/consul/wire.ts'
import { Hysteresis, type Thresholds } from '../../lib/lifecycle/hysteresis.ts'

const letters: Record<string, CheckStatus> = { p: 'passing', w: 'warning', c: 'critical' }

/** Results and what is told of them, a letter each. */
const table: Record<string, [thresholds: Thresholds, results: string, told: string]> = {
  'without thresholds each counts': [{ successBeforePassing: 0, failuresBeforeCritical: 0 }, 'pcpwcw', 'pcpwcw'],
  'one is the first': [{ successBeforePassing: 1, failuresBeforeCritical: 1 }, 'pcpc', 'pcpc'],
  'three failures in a row': [{ successBeforePassing: 0, failuresBeforeCritical: 3 }, 'pccpccccp', 'ppppppccp'],
  'two successes in a row': [{ successBeforePassing: 2, failuresBeforeCritical: 0 }, 'cpcppp', 'ccccpp'],
  'a warning is a success': [{ successBeforePassing: 2, failuresBeforeCritical: 2 }, 'cwwcwccw', 'ccwwwwcc'],
  'between passing and warning there is no threshold': [
    { successBeforePassing: 5, failuresBeforeCritical: 5 }, 'pwpw', 'pwpw'],
  'the first result counts at once': [{ successBeforePassing: 5, failuresBeforeCritical: 5 }, 'cp', 'cc']
}

for (const [name, [thresholds, results, told]] of Object.entries(table)) {
  t.test(name, async t => {
    const hysteresis = new Hysteresis(thresholds)
    t.equal([...results].map(letter => hysteresis.next(letters[letter]!)[0]).join(''), told)
  })
}
