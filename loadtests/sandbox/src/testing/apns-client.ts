import { type ClientHttp2Session, connect, type OutgoingHttpHeaders } from 'node:http2'
import type { Authority, PassCertificate } from '../authority.ts'

/** What APNs answered. */
export interface PushAnswer {
  readonly status: number
  readonly apnsId: string
  readonly reason?: string
  readonly timestamp?: number
}

/** Connects to the APNs stand-in; resolves when the settings are there. */
export async function connectApns(
  { apnsPort, authority }: { readonly apnsPort: number; readonly authority: Pick<Authority, 'webRootPem'> },
  certificate?: PassCertificate,
): Promise<ClientHttp2Session> {
  const identity = certificate && { cert: certificate.leafPem + certificate.wwdrPem, key: certificate.keyPem }
  const session = connect(`https://localhost:${apnsPort}`, { ca: authority.webRootPem, ...identity })
  session.on('error', () => undefined)
  await new Promise((resolve, reject) => {
    session.once('remoteSettings', resolve)
    session.once('error', reject)
  })
  return session
}

/** Sends one push; headers given replace or, when undefined, drop the usual ones. */
export function push(
  session: ClientHttp2Session,
  token: string,
  headers: OutgoingHttpHeaders = {},
  body: string | Buffer = '{}',
): Promise<PushAnswer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': `/3/device/${token}`,
      'apns-push-type': 'background',
      'apns-priority': '5',
      ...headers,
    })
    let status = 0
    let apnsId = ''
    const parts: Buffer[] = []
    stream.on('response', (answer) => {
      status = Number(answer[':status'])
      apnsId = String(answer['apns-id'])
    })
    stream.on('data', (part: Buffer) => parts.push(part))
    stream.on('error', reject)
    stream.on('close', () => {
      if (status === 0) return reject(new Error(`stream closed without an answer (${stream.rstCode})`))
      const text = Buffer.concat(parts).toString('utf8')
      resolve({ status, apnsId, ...(text === '' ? {} : (JSON.parse(text) as object)) })
    })
    stream.end(body)
  })
}
