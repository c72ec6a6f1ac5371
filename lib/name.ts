/** Control characters, and halves of characters, which no URL can hold. */
const unusable = /[\p{Cc}\p{Cs}]/u

/** Names come from users too, and are remembered; those of DNS end at 63. */
const longest = 1000

/** In words, for errors. */
export const nameRule =
  'of 1 to 1000 characters, without control characters, and with nothing between its slashes empty, "." or ".."'

/** Whether a name of a service, a check or an id can stand in the path of a URL, and means nothing else there. */
export function isName (text: string): boolean {
  return text.length <= longest && !unusable.test(text) &&
    text.split('/').every(part => part !== '' && part !== '.' && part !== '..')
}
