/** A command of a block. */
export interface Command {
  /** Line of the block on which it begins, from 1. */
  line: number
  /** What stands before it: `CONSUL_URL=…`. */
  variables: Record<string, string>
  program: string
  args: string[]
  /** As it stands there, with its variables. */
  text: string
}

const word = /(?:\\.|"[^"]*"|'[^']*'|[^\s"'\\])+/g
const assignment = /^(\w+)=(.*)$/s

/** The commands of a shell block in order: one a line, several where `&&`, `||`, `;` or `|` stand in between. */
export function commandsOf (text: string): Command[] {
  const commands: Command[] = []
  let begun = ''
  for (const [index, raw] of text.split('\n').entries()) {
    const line = begun + raw.replace(/(?:^|\s)#.*$/, '').trim()
    begun = line.endsWith('\\') ? `${line.slice(0, -1).trim()} ` : ''
    if (begun !== '') continue
    for (const part of line.split(/\s+(?:&&|\|\||[;|])\s+/)) commands.push(...commandOf(part, index + 1))
  }
  return commands
}

function commandOf (text: string, line: number): Command[] {
  const words = text.match(word) ?? []
  const first = words.findIndex(word => !assignment.test(word))
  if (first === -1) return []
  const [program = '', ...args] = words.slice(first).map(unquoted)
  const variables = Object.fromEntries(words.slice(0, first).map(word => {
    const [, name = '', value = ''] = assignment.exec(word) ?? []
    return [name, unquoted(value)]
  }))
  return [{ line, variables, program, args, text }]
}

function unquoted (word: string): string {
  return word.replaceAll(/"([^"]*)"|'([^']*)'/g, '$1$2')
}
