import { optionPaths } from './defaults.ts'

/** What is said of an unknown name: the nearest of those known in its place, or where else it is known. */
export function knownName (name: string, siblings: readonly string[]): string {
  const nearest = siblings
    .map(sibling => ({ sibling, distance: editDistance(name.toLowerCase(), sibling.toLowerCase()) }))
    .reduce((best, candidate) => candidate.distance < best.distance ? candidate : best)
  if (nearest.distance <= Math.max(1, name.length / 3)) return meant(nearest.sibling)
  const elsewhere = optionPaths.find(option => option.endsWith(`.${name}`))
  return elsewhere === undefined ? `one of the known options (${siblings.join(', ')})` : meant(elsewhere)
}

function meant (option: string): string {
  return `a known option (did you mean ${option}?)`
}

/** How many letters to change, add, take away or swap with the next one. */
function editDistance (a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i++) {
    const [above, row] = [rows[i - 1]!, [i]]
    for (let j = 1; j <= b.length; j++) {
      const changed = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? rows[i - 2]![j - 2]! + 1 : Infinity
      row.push(Math.min(above[j]! + 1, row[j - 1]! + 1, changed, swapped))
    }
    rows.push(row)
  }
  return rows[a.length]![b.length]!
}
