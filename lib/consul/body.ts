import type { Readable } from 'node:stream'

/** Ten times the list of a service with 10,000 instances. */
export const maxAnswer = 64 * 2 ** 20

/** The text of an answer, or `undefined`, and the connection's end, if it has more than `maxAnswer` bytes. */
export async function textOf (body: Readable): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > maxAnswer) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, length).toString()
}
