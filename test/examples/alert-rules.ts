import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'

export interface AlertRule {
  alert: string
  expr: string
  for: string
  labels: { severity: string }
  annotations: { summary: string, runbook: string }
}

export interface RuleTest {
  promql_expr_test: { expr: string, exp_samples: { labels: string }[] }[]
}

export async function readRules (file: URL): Promise<AlertRule[]> {
  const { groups } = parse(await readFile(file, 'utf8')) as { groups: { rules: AlertRule[] }[] }
  return groups.flatMap(({ rules }) => rules)
}

/** The tests, each by the alert that fires in it. */
export async function readRuleTests (file: URL): Promise<Map<string | undefined, RuleTest>> {
  const { tests } = parse(await readFile(file, 'utf8')) as { tests: RuleTest[] }
  return new Map(tests.map(test => [alertsIn(test)[0], test]))
}

export function alertsIn ({ promql_expr_test: questions }: RuleTest): string[] {
  const labels = questions.flatMap(({ exp_samples: samples }) => samples.map(({ labels }) => labels))
  return [...new Set(labels.flatMap(text => /alertname="(\w+)"/.exec(text)?.[1] ?? []))]
}

const comparison = / (?:==|!=|[<>]=?) [\d.]+/g

/** Without what a value is compared with: then there is a series although nothing is wrong. */
export function withoutComparisons (expr: string): string {
  return expr.replace(comparison, '')
}

/** The rule without one of the things that keep it from firing, each in turn. */
export function weakened (rule: AlertRule): AlertRule[] {
  const { expr } = rule
  const compared = [...expr.matchAll(comparison)].map(({ 0: text, index }) =>
    expr.slice(0, index) + expr.slice(index + text.length))
  const limited = [...expr.matchAll(/\n(?:and|unless) .+/g)].map(({ 0: text }) => expr.replace(text, ''))
  return [...[...compared, ...limited].map(expr => ({ ...rule, expr })), { ...rule, for: '0s' }]
}
