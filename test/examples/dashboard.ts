import { readFile } from 'node:fs/promises'

interface GridPosition { x: number, y: number, w: number, h: number }

export interface Panel {
  id: number
  type: string
  title: string
  description?: string
  gridPos: GridPosition
  datasource?: { type: string, uid: string }
  targets?: { refId: string, expr: string, legendFormat: string, datasource: { uid: string } }[]
}

interface Variable {
  name: string
  type: string
  query: string | { query: string }
}

export interface Dashboard {
  uid: string
  panels: Panel[]
  templating: { list: Variable[] }
}

export interface Expression {
  /** Where it stands. */
  place: string
  /** With every variable put in. */
  expression: string
  /** What the legend shows of each series. */
  labels: string[]
}

export async function readDashboard (file: URL): Promise<Dashboard> {
  return JSON.parse(await readFile(file, 'utf8'))
}

/** What Grafana asks Prometheus with these values of the variables, for its panels and to fill the variables. */
export function expressionsOf (
  { panels, templating: { list } }: Dashboard, values: Readonly<Record<string, string>>
): Expression[] {
  const asked = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr, legendFormat }) =>
    ({ place: title, expression: filled(expr, values), labels: labelsIn(legendFormat, /\{\{(\w+)\}\}/g) })))
  const fillings = list.flatMap(({ name, query }) => {
    const text = typeof query === 'string' ? query : query.query
    const [, series, label] = /^label_values\((.+), (\w+)\)$/.exec(text) ?? []
    if (series === undefined || label === undefined) return []
    return { place: `$${name}`, expression: `count by (${label}) (${filled(series, values)})`, labels: [label] }
  })
  return [...asked, ...fillings]
}

export function labelsIn (text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].flatMap(([, label]) => label ?? [])
}

/** A variable without a value throws. */
function filled (text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\$(\w+)/g, (_, name) => {
    const value = values[name]
    if (value === undefined) throw new Error(`$${name} in ${text} is no variable`)
    return value
  })
}

export function overlap (a: GridPosition, b: GridPosition): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h
}
