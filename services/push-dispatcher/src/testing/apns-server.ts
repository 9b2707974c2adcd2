import { createSecureServer, type Http2SecureServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import type { TestCertificate } from '@stampede/platform/testing'

/** A push as the server saw it. */
export interface SeenPush {
  readonly token: string
  readonly body: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Number of the connection, from 1. */
  readonly connection: number
  /** Common name of the client certificate. */
  readonly client: string
}

/** What the server does with a push: it calls `answer`, or leaves the stream open. */
export type PushHandler = (push: SeenPush, server: TestApns, stream: ServerHttp2Stream) => void

/** A small APNs for tests. */
export class TestApns implements AsyncDisposable {
  /** Every push whose body came completely, in order. */
  readonly seen: SeenPush[] = []
  /** Connections, in the order of their making; closed ones stay. */
  readonly connections: ServerHttp2Session[] = []
  /** Most streams that were open at once, by connection; a test may reset it. */
  openMax: number[] = []
  /** Highest stream that came, by connection. */
  readonly lastStream: number[] = []
  handler: PushHandler = (_push, _server, stream) => answer(stream, 200)
  /** Announced to new connections. */
  streamLimit: number
  readonly #server: Http2SecureServer
  readonly #sockets = new Set<Socket>()

  constructor(identity: TestCertificate, caPem: string, streamLimit = 1_000) {
    this.streamLimit = streamLimit
    this.#server = createSecureServer({
      cert: identity.certPem,
      key: identity.keyPem,
      ca: caPem,
      requestCert: true,
      rejectUnauthorized: true,
      settings: { maxConcurrentStreams: streamLimit },
    })
    this.#server.on('connection', (socket: Socket) => this.#sockets.add(socket))
    this.#server.on('session', (session) => this.#onSession(session))
    this.#server.on('sessionError', () => {})
    this.#server.on('tlsClientError', () => {})
  }

  /** Resets every TCP connection: the peer sees ECONNRESET. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
    this.#sockets.clear()
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.connections) session.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #onSession(session: ServerHttp2Session): void {
    const connection = this.connections.push(session)
    if (this.streamLimit !== 1_000) session.settings({ maxConcurrentStreams: this.streamLimit })
    const socket = session.socket as unknown as { getPeerCertificate(): { subject?: { CN?: string } } }
    const client = String(socket.getPeerCertificate().subject?.CN ?? '')
    let open = 0
    session.on('error', () => {})
    session.on('stream', (stream, headers) => {
      open += 1
      this.lastStream[connection - 1] = stream.id ?? 0
      this.openMax[connection - 1] = Math.max(this.openMax[connection - 1] ?? 0, open)
      stream.on('error', () => {})
      stream.on('close', () => {
        open -= 1
      })
      const parts: Buffer[] = []
      stream.on('data', (part: Buffer) => parts.push(part))
      stream.on('end', () => {
        const token = String(headers[':path']).replace('/3/device/', '')
        const push = { token, body: Buffer.concat(parts).toString(), headers, connection, client }
        this.seen.push(push)
        this.handler(push, this, stream)
      })
    })
  }
}

/** Starts a server; the authority's clients are let in. */
export async function startTestApns(identity: TestCertificate, caPem: string, streamLimit?: number) {
  const server = new TestApns(identity, caPem, streamLimit)
  return { server, url: await server.listen() }
}

/** Answers a push: with a reason, as JSON body, when one is given. */
export function answer(
  stream: ServerHttp2Stream,
  status: number,
  body?: { readonly reason: string; readonly timestamp?: number },
  headers: Readonly<Record<string, string>> = {},
): void {
  if (stream.destroyed) return
  stream.respond({ ':status': status, 'apns-id': crypto.randomUUID(), ...headers }, { endStream: body === undefined })
  if (body !== undefined) stream.end(JSON.stringify(body))
}
