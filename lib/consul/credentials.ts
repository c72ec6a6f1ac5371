import type { ConnectionOptions } from './transport.ts'
import { currentToken } from './token.ts'

/** What a request says of who sends it, in headers only: a URL would end up in access logs. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>
  /** What must not be repeated, whoever says it. */
  readonly secrets: readonly string[]
}

/** @throws FST_CONSUL_TOKEN */
export async function credentialsOf ({ auth, token: source }: ConnectionOptions): Promise<Credentials> {
  const token = await currentToken(source)
  const basic = auth === undefined ? undefined : Buffer.from(auth).toString('base64')
  const password = auth?.slice(auth.indexOf(':') + 1)
  return {
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
