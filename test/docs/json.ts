import { eachBlock } from './tester.ts'

/** What is no JSON is told of by the parser. */
export const json = eachBlock(({ text }) => {
  JSON.parse(text)
  return []
})
