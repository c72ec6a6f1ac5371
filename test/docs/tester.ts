import type { Block } from './blocks.ts'

/** What is wrong with a block. */
export interface Problem {
  block: Block
  /** Where and what: `docs/calls.md:7: …`. */
  message: string
}

/** Tests blocks, all of one kind at once. Resolves to what is wrong with them. */
export type Tester = (blocks: readonly Block[]) => Promise<Problem[]>

/** `line` is the number of a line in the block, from 1. */
export function problem (block: Block, message: string, line = 1): Problem {
  return { block, message: `${block.page}:${block.line + line - 1}: ${message}` }
}

/** A tester of what looks at one block at a time, and throws or answers with what is wrong. */
export function eachBlock (look: (block: Block) => Promise<readonly string[]> | readonly string[]): Tester {
  return async blocks => {
    const found = await Promise.all(blocks.map(async block => {
      const messages = await Promise.resolve(block).then(look).catch((error: Error) => [error.message])
      return messages.map(message => problem(block, message))
    }))
    return found.flat()
  }
}
