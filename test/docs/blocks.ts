import type { Page } from '../support/pages.ts'

/** A code block of a page. */
export interface Block {
  /** Its path from the root of the project. */
  page: string
  /** Line of the page on which its text begins. */
  line: number
  /** What its fence says, empty if it says nothing; `text` for a block that is indented. */
  language: string
  text: string
  /** The heading that it stands under. */
  heading: string
  /** The last line before it that is not empty. */
  before: string
}

interface Found {
  language: string
  lines: readonly string[]
  /** Index of its first line, and of the first line behind all of it. */
  first: number
  next: number
}

/**
 * The code blocks of a page, in order: between fences, inside of lists too, and indented ones.
 *
 * @throws for a fence that is not closed
 */
export function blocksOf ({ path: page, text }: Page): Block[] {
  const lines = text.split('\n')
  const blocks: Block[] = []
  let heading = ''
  for (let at = 0; at < lines.length;) {
    heading = /^#+ (.+)$/.exec(lines[at]!)?.[1] ?? heading
    const before = lineBefore(lines, at)
    const found = fencedAt(lines, at) ?? indentedAt(lines, at, before)
    at = found?.next ?? at + 1
    if (found === undefined) continue
    if (at > lines.length) throw new Error(`${page}:${found.first}: the block has no end`)
    const { language, first } = found
    blocks.push({ page, line: first + 1, language, heading, before, text: found.lines.join('\n') })
  }
  return blocks
}

const fence = /^(?<indent> *)(?<marks>`{3,}|~{3,}) *(?<language>[^\s`]*)[^`]*$/

function fencedAt (lines: readonly string[], at: number): Found | undefined {
  const { indent = '', marks, language = '' } = fence.exec(lines[at]!)?.groups ?? {}
  if (marks === undefined) return undefined
  const end = lines.findIndex((line, index) => index > at && line.trim().startsWith(marks) && /^ *[`~]+ *$/.test(line))
  const inner = lines.slice(at + 1, end).map(line => line.replace(new RegExp(`^ {0,${indent.length}}`), ''))
  return { language, lines: inner, first: at + 1, next: end === -1 ? Infinity : end + 1 }
}

function indentedAt (lines: readonly string[], at: number, before: string): Found | undefined {
  if (!isIndented(lines[at]!) || lines[at - 1] !== '' || /^ |^[-*+] |^\d+\. /.test(before)) return undefined
  const length = lines.slice(at).findIndex(line => line !== '' && !isIndented(line))
  const next = length === -1 ? lines.length : at + length
  return { language: 'text', lines: lines.slice(at, next).map(line => line.slice(4)), first: at, next }
}

function lineBefore (lines: readonly string[], at: number): string {
  return lines.slice(0, at).findLast(line => line !== '') ?? ''
}

function isIndented (line: string): boolean {
  return /^ {4,}\S/.test(line)
}
