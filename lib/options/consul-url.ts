/** Where the agent is and what to say at the door. */
export interface ConsulAddress {
  /** Origin and base path, without a slash at the end and without credentials. */
  readonly url: string
  readonly socketPath: string | undefined
  /** `user:password`. */
  readonly auth: string | undefined
}

/** Reads an `http:`, `https:` or `unix://` URL; `undefined` if it is none. */
export function parseConsulUrl (text: string): ConsulAddress | undefined {
  const socketPath = /^unix:\/\/(\/.+)$/i.exec(text)?.[1]
  if (socketPath !== undefined) return { url: 'http://localhost', socketPath, auth: undefined }
  const url = parseHttpUrl(text)
  if (url === undefined) return undefined
  try {
    return {
      url: url.origin + url.pathname.replace(/\/+$/, ''),
      socketPath: undefined,
      auth: url.username + url.password === ''
        ? undefined
        : `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
    }
  } catch {
    return undefined
  }
}

/** Reads `http(s)://host[:port]` to an origin; `undefined` if it is none, or says more than that. */
export function parseOrigin (text: string): string | undefined {
  const url = parseHttpUrl(text)
  if (url === undefined || url.username + url.password !== '' || url.pathname !== '/') return undefined
  return url.origin
}

function parseHttpUrl (text: string): URL | undefined {
  if (!/^https?:\/\/[^/\\]/i.test(text) || /[?#\s]/.test(text) || !URL.canParse(text)) return undefined
  const url = new URL(text)
  return url.port === '0' ? undefined : url
}
