import { readdir, readFile } from 'node:fs/promises'

export interface Page {
  /** From the root of the project on. */
  readonly path: string
  readonly text: string
}

const root = new URL('../../', import.meta.url)

/** Everything that is written for readers: the pages at the root, of docs/ and of the examples. */
export async function allPages (): Promise<readonly Page[]> {
  const [top, docs, examples] = await Promise.all([
    pagesIn('', { recursive: false }), pagesIn('docs/'), pagesIn('examples/')
  ])
  return [...top, ...docs, ...examples]
}

export async function pageAt (path: string): Promise<Page> {
  return { path, text: await readFile(new URL(path, root), 'utf8') }
}

async function pagesIn (folder: string, options = { recursive: true }): Promise<readonly Page[]> {
  const names = await readdir(new URL(folder, root), options)
  return await Promise.all(names.filter(name => name.endsWith('.md')).map(name => pageAt(`${folder}${name}`)))
}

/** Without blocks of code. */
export function proseOf ({ text }: Page): string {
  return text.replaceAll(/^```.*?^```$/gms, '')
}

/** What stands in backticks, in order. */
export function codeIn (text: string): readonly string[] {
  return [...text.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!)
}

/** The rows of the table that begins so, cell by cell. */
export function rowsOf ({ text }: Page, head: string): readonly (readonly string[])[] {
  const [, table = ''] = text.split(`\n| ${head} |`)
  const rows = table.split('\n\n')[0]!.split('\n').slice(2)
  return rows.map(row => row.split(' | ').map(cell => cell.replace(/^\| | \|$/g, '')))
}

/** What a link may name behind its `#`. */
export function headingsOf (page: Page): ReadonlySet<string> {
  const headings = proseOf(page).matchAll(/^#+ (.+)$/gm)
  return new Set([...headings].map(([, heading]) => {
    return heading!.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-')
  }))
}
