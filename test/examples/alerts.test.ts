import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { findPrometheus } from '../support/find-prometheus.ts'
import { run } from '../support/run.ts'
import { alertsIn, readRules, readRuleTests, weakened, type AlertRule, type RuleTest } from './alert-rules.ts'

const folder = new URL('../../examples/monitoring/', import.meta.url)
const rules = await readRules(new URL('alerts.yml', folder))
const tests = await readRuleTests(new URL('alerts.test.yml', folder))
const { promtool } = await findPrometheus()

t.test('promtool takes the configuration and the rules, and their tests succeed', async t => {
  const path = (name: string) => fileURLToPath(new URL(name, folder))
  await t.resolves(run(promtool, ['check', 'config', path('prometheus.yml')]))
  await t.resolves(run(promtool, ['check', 'rules', path('alerts.yml')]))
  await t.resolves(run(promtool, ['test', 'rules', path('alerts.test.yml')]))
})

t.test('every rule says how bad it is, what has happened and what to do', async t => {
  t.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length)
  for (const { alert, for: time, labels: { severity }, annotations: { summary, runbook } } of rules) {
    t.match(alert, /^Consul[A-Z]/)
    t.match(time, /^\d+[sm]$/, alert)
    t.match(severity, /^(?:critical|warning)$/, alert)
    t.match(summary, /\{\{ \$labels\..+\.$/, alert)
    t.match(runbook, /^.{40,}\.$/, alert)
  }
})

t.test('the test of every rule fails when it fires too early or too easily', async t => {
  const folders = t.testdir(Object.fromEntries(rules.map(({ alert }) => [alert, {}])))

  const passes = async (rule: AlertRule, test: RuleTest): Promise<boolean> => {
    const folder = join(folders, rule.alert)
    const all = rules.map(each => each.alert === rule.alert ? rule : each)
    await writeFile(join(folder, 'rules.yml'), JSON.stringify({ groups: [{ name: 'all', rules: all }] }))
    const tests = { rule_files: ['rules.yml'], evaluation_interval: '15s', tests: [test] }
    await writeFile(join(folder, 'tests.yml'), JSON.stringify(tests))
    return run(promtool, ['test', 'rules', join(folder, 'tests.yml')]).then(() => true, () => false)
  }

  await Promise.all(rules.map(async rule => {
    const test = tests.get(rule.alert)!
    t.same(alertsIn(test), [rule.alert])
    t.ok(await passes(rule, test), rule.alert)
    for (const weak of weakened(rule)) t.notOk(await passes(weak, test), `${weak.alert}: ${weak.expr}, ${weak.for}`)
  }))
})
