/** In code or message, as a code alone is `EPROTO` for much of it. */
const hints: readonly (readonly [words: RegExp, hint: string])[] = [
  [/ERR_TLS_CERT_ALTNAME_INVALID/,
    'its certificate is for another name: see the url, or tls.servername (CONSUL_TLS_SERVER_NAME)'],
  [/UNABLE_TO_(?:VERIFY|GET)_|SELF_SIGNED_CERT|CERT_SIGNATURE_FAILURE|CERT_UNTRUSTED|INVALID_CA/,
    'its certificate is not of an authority that is trusted: see tls.ca (CONSUL_CACERT)'],
  [/CERT_(?:HAS_EXPIRED|NOT_YET_VALID)/, 'its certificate is not valid now'],
  [/alert[ _](?:bad[ _]certificate|certificate[ _]|unknown[ _]ca|unsupported[ _]certificate|access[ _]denied)/i,
    'it refuses the client certificate, or its absence: see tls.cert (CONSUL_CLIENT_CERT)'],
  [/wrong[ _]version[ _]number|packet[ _]length[ _]too[ _]long/i, 'no TLS is spoken there: see the url']
]

/** Why there was no answer, and what to do where that is not plain. */
export function reasonOf (error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (cause instanceof Error && hintOf(cause) !== undefined) return reasonOf(cause)
  const { message, code = '' } = error as NodeJS.ErrnoException
  // Some errors have a code and no message: those of a name with several addresses.
  const words = message.includes(code) ? message : `${message} ${code}`.trim()
  const hint = hintOf(error)
  return hint === undefined ? words : `${words} (${hint})`
}

function hintOf ({ code = '', message }: NodeJS.ErrnoException): string | undefined {
  return hints.find(([words]) => words.test(`${code} ${message}`))?.[1]
}
