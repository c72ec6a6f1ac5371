/**
 * A whole number of 32 bits that looks random and is the same for a text everywhere: FNV-1a over its UTF-16 code
 * units, then the finalizer of MurmurHash3, without which similar texts have similar numbers. Nothing for secrets:
 * texts with the same number are found easily.
 */
export function hashOf (text: string, seed = 0): number {
  let hash = 0x811c9dc5 ^ seed
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return mix(hash)
}

/** Spreads every bit of such a number over all of it. One to one: different numbers stay different. */
export function mix (number: number): number {
  let mixed = number
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
