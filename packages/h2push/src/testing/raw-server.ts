import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls'

/** Certificate and key of a server, PEM. */
export interface ServerIdentity {
  readonly certPem: string
  readonly keyPem: string
}

/** What serves one connection after its handshake; `socket` is below TLS, for a TCP reset. */
export type Serve = (secure: TLSSocket, socket: Socket) => void

/** A TLS server on a free port of 127.0.0.1 that offers HTTP/2 and leaves all else to its maker. */
export class RawServer implements AsyncDisposable {
  readonly #serve: Serve
  readonly #server: Server
  readonly #context: SecureContext
  readonly #sockets = new Set<Socket>()
  /** Connections that were accepted so far. */
  accepted = 0

  constructor({ certPem, keyPem }: ServerIdentity, serve: Serve) {
    this.#serve = serve
    this.#context = createSecureContext({ cert: certPem, key: keyPem })
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket))
  }

  /** Listens; resolves with the origin. */
  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Ends all connections at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #accept(socket: Socket): void {
    this.accepted += 1
    this.#sockets.add(socket)
    const secure = new TLSSocket(socket, { isServer: true, secureContext: this.#context, ALPNProtocols: ['h2'] })
    secure.on('error', () => secure.destroy())
    secure.on('close', () => this.#sockets.delete(socket))
    secure.once('secure', () => this.#serve(secure, socket))
  }
}
