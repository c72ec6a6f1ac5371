import { request as requestHttp, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Finding } from './check-runner.ts'
import type { HttpProbe } from './records.ts'

/** Of the body, in bytes. Source: https://developer.hashicorp.com/consul/docs/reference/service/health-check#outputmaxsize */
const mostOutput = 4096
/** As many as Go's client follows. */
const mostRedirects = 10

/** 2xx is passing, 429 warning, everything else critical. */
export async function probeHttp (probe: HttpProbe, signal: AbortSignal): Promise<Finding> {
  let url = new URL(probe.target)
  let { method } = probe
  for (let redirects = 0; ; redirects++) {
    const { message, text } = await exchange(url, method, probe, signal)
    const status = message.statusCode ?? 0
    const { location } = message.headers
    if (status >= 300 && status < 400 && location !== undefined && redirects < mostRedirects) {
      url = new URL(location, url)
      if (status < 304) method = 'GET'
      continue
    }
    const output =
      `HTTP ${probe.method} ${probe.target}: ${status} ${message.statusMessage ?? ''} Output: ${text}`
    return { status: meaningOf(status), output }
  }
}

function meaningOf (status: number): Finding['status'] {
  if (status >= 200 && status < 300) return 'passing'
  return status === 429 ? 'warning' : 'critical'
}

async function exchange (
  url: URL, method: string, { headers, body, tlsSkipVerify }: HttpProbe, signal: AbortSignal
): Promise<{ message: IncomingMessage, text: string }> {
  const options: RequestOptions & { rejectUnauthorized: boolean } = {
    method,
    signal,
    agent: false, // No connection is used twice.
    rejectUnauthorized: !tlsSkipVerify,
    headers: {
      'user-agent': 'Consul Health Check',
      accept: 'text/plain, text/*, */*',
      ...Object.fromEntries(Object.entries(headers).map(([name, values]) => [name.toLowerCase(), [...values]]))
    }
  }
  return await new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, options, message => {
      read(message).then(text => resolve({ message, text }), reject)
    })
    request.on('error', reject)
    request.end(method === 'GET' || method === 'HEAD' ? undefined : body)
  })
}

async function read (message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of message as AsyncIterable<Buffer>) {
    if (size < mostOutput) chunks.push(chunk)
    size += chunk.length
  }
  return Buffer.concat(chunks).subarray(0, mostOutput).toString()
}
