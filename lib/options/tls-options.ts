export interface TlsOptions {
  /** Certificate authorities: PEM text or the path of a PEM file. Default: the system's. */
  ca?: string | undefined
  /** Client certificate: PEM text or path. Needs `key`. Default none. */
  cert?: string | undefined
  /** Client key, not encrypted: PEM text or path. Needs `cert`. Default none. */
  key?: string | undefined
  /** Name that the server's certificate must be for. Default: the host that is called. */
  servername?: string | undefined
  /** `false` accepts any certificate. Default true. */
  rejectUnauthorized?: boolean | undefined
}
