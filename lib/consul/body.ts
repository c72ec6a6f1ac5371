import type { Readable } from 'node:stream'

/** Ten times the list of a service with 10,000 instances. */
export const maxAnswer = 64 * 2 ** 20

/**
 * The text of an answer, or `undefined`, and the connection's end, if it has more than `maxAnswer` bytes. It is decoded
 * as it arrives: at once it would hold up everything else for some milliseconds more.
 */
export async function textOf (body: Readable): Promise<string | undefined> {
  const decoder = new TextDecoder()
  let length = 0
  let text = ''
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > maxAnswer) return undefined
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}
