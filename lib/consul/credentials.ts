import type { Token } from './token.ts'

/** What a request says of who sends it, in headers only: a URL would end up in access logs. */
export interface Credentials {
  readonly token: string | undefined
  readonly headers: Readonly<Record<string, string>>
  /** What must not be repeated, whoever says it. */
  readonly secrets: readonly string[]
}

/**
 * @param auth `user:password` for basic authentication
 * @throws FST_CONSUL_TOKEN
 */
export async function credentialsOf (auth: string | undefined, source: Token): Promise<Credentials> {
  const token = await source.read()
  const basic = auth === undefined ? undefined : Buffer.from(auth).toString('base64')
  const password = auth?.slice(auth.indexOf(':') + 1)
  return {
    token,
    headers: {
      ...(token !== undefined && { 'x-consul-token': token }),
      ...(basic !== undefined && { authorization: `Basic ${basic}` })
    },
    secrets: [token, basic, password].filter(secret => secret !== undefined && secret !== '') as string[]
  }
}

/** The text with every secret in it replaced. */
export function redact (text: string, { secrets }: Credentials): string {
  return secrets.reduce((redacted, secret) => redacted.replaceAll(secret, '[secret]'), text)
}
