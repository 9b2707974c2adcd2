import type { AddressInfo, Socket } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import type { Authority } from '../authority.ts'
import type { ApnsFaults } from '../faults.ts'
import { nowMs } from '../journal.ts'
import type { ApnsRow } from '../rows.ts'
import { type ApnsCore, Connection } from './connection.ts'
import type { TokenDirectory } from './directory.ts'
import { identify } from './identity.ts'
import { type LineJournal, PushLog } from './push-log.ts'
import { AnswerCounter, type ApnsStatistics } from './statistics.ts'
import { Verdicts } from './verdicts.ts'

/** What the APNs stand-in is built from. */
export interface ApnsOptions {
  readonly authority: Authority
  readonly hosts: readonly string[]
  /** 0: any free port. */
  readonly port: number
  /** Address to listen on; default 127.0.0.1. */
  readonly listenHost?: string | undefined
  readonly journal: LineJournal
  readonly directory: TokenDirectory
  /** Read at every request, so that changes act at once. */
  readonly faults: () => ApnsFaults
}

/** The running APNs stand-in. */
export interface ApnsServer extends AsyncDisposable {
  readonly port: number
  statistics(): ApnsStatistics
  /** Counts a row of an earlier run. */
  restore(row: ApnsRow): void
  /** Announces the stream limit of the faults on every open connection. */
  announceStreamLimit(): void
}

/** How long a client may take for its handshake, ms. */
/** Certificates whose handshakes are counted. */
const CERTIFICATES_MAX = 1000
const HANDSHAKE_TIMEOUT_MS = 10_000
/** How long the server waits for open connections when it stops, ms. */
const CLOSE_TIMEOUT_MS = 2000

class Apns implements ApnsServer {
  readonly #port: number
  readonly #listenHost: string
  readonly #server: Server
  readonly #core: ApnsCore
  /** Below TLS, also those whose handshake goes on. */
  readonly #sockets = new Set<Socket>()
  readonly #handshakes = new Map<string, number>()
  readonly #connections = new Set<Connection>()

  constructor({ authority, hosts, port, listenHost = '127.0.0.1', journal, directory, faults }: ApnsOptions) {
    this.#port = port
    this.#listenHost = listenHost
    this.#core = {
      verdicts: new Verdicts(directory, faults),
      log: new PushLog(journal),
      directory,
      counter: new AnswerCounter(),
      faults,
    }
    const { certPem, keyPem } = authority.issueServerCertificate(hosts)
    this.#server = createServer({
      cert: certPem,
      key: keyPem,
      ca: [authority.rootPem, authority.wwdrPem],
      requestCert: true,
      // The refusal is an answer with Apple's reason, not a broken handshake.
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['h2'],
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    })
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    this.#server.on('secureConnection', (socket) => this.#connect(socket))
    // Handshakes fail when clients go away; the client sees it, nobody here has to.
    this.#server.on('tlsClientError', () => undefined)
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(this.#port, this.#listenHost, () => resolve())
    })
  }

  statistics(): ApnsStatistics {
    const { accepted, rejected } = this.#core.counter
    return {
      accepted,
      rejected: { ...rejected },
      perSecond: this.#core.counter.perSecond(nowMs()),
      connections: this.#connections.size,
      handshakes: Object.fromEntries(this.#handshakes),
    }
  }

  restore({ reason, at }: ApnsRow): void {
    this.#core.counter.count(reason, at)
  }

  announceStreamLimit(): void {
    for (const connection of this.#connections) connection.announceStreamLimit()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const connection of this.#connections) connection.close()
    const timer = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy()
    }, CLOSE_TIMEOUT_MS)
    await closed
    clearTimeout(timer)
  }

  #connect(socket: TLSSocket): void {
    if (socket.alpnProtocol !== 'h2') {
      socket.destroy()
      return
    }
    this.#countHandshake(socket.getPeerX509Certificate()?.serialNumber)
    const connection = new Connection(socket, identify(socket), this.#core)
    this.#connections.add(connection)
    socket.once('close', () => this.#connections.delete(connection))
  }

  #countHandshake(serialNumber = ''): void {
    const known = this.#handshakes.get(serialNumber)
    if (known === undefined && this.#handshakes.size >= CERTIFICATES_MAX) return
    this.#handshakes.set(serialNumber, (known ?? 0) + 1)
  }
}

/** Starts the APNs stand-in on 127.0.0.1, or where it is told to. */
export async function startApns(options: ApnsOptions): Promise<ApnsServer> {
  const server = new Apns(options)
  await server.listen()
  return server
}
