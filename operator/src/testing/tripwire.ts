import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { Agent, createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'

/**
 * When the wire goes off: instead of passing the request on; when it is done and not yet answered; or while it is under
 * way, which it then is until `onTrip` resolves.
 */
export type TripPhase = 'before' | 'after' | 'meanwhile'

/** A request that passes. */
export interface PassingRequest {
  readonly method: string
  readonly path: string
  readonly body: string
}

/** What is listened for. */
export interface Trip {
  /** Which requests count. */
  readonly counts: (request: PassingRequest) => boolean
  /** Called with each that counts; whether the wire goes off at it. */
  readonly isIt: (request: PassingRequest) => boolean
  readonly phase: TripPhase
  /** Kills. */
  readonly onTrip: (request: PassingRequest) => Promise<void>
}

/** A proxy in front of an HTTPS server, in which a wire can be laid. */
export interface Tripwire extends AsyncDisposable {
  readonly url: string
  /** Lays the wire; it goes off once. undefined takes it away. */
  lay(trip: Trip | undefined): void
  /** Everything that has passed so far. */
  readonly passed: readonly PassingRequest[]
}

/** What the proxy stands in front of, and as whom. */
export interface TripwireOptions {
  readonly target: string
  readonly targetCaPem: string
  readonly certPem: string
  readonly keyPem: string
}

/** Starts a proxy on 127.0.0.1. Watches and everything else pass through it unbuffered. */
export async function startTripwire(options: TripwireOptions): Promise<Tripwire> {
  const wire = new Wire(options)
  await wire.listen()
  return wire
}

class Wire implements Tripwire {
  readonly #target: URL
  readonly #agent: Agent
  readonly #server: Server
  readonly passed: PassingRequest[] = []
  #trip: Trip | undefined

  constructor({ target, targetCaPem, certPem, keyPem }: TripwireOptions) {
    this.#target = new URL(target)
    this.#agent = new Agent({ ca: targetCaPem, keepAlive: true })
    this.#server = createServer({ cert: certPem, key: keyPem }, (request, response) => {
      this.#serve(request, response).catch(() => response.destroy())
    })
    this.#server.on('tlsClientError', () => undefined)
  }

  get url(): string {
    return `https://localhost:${(this.#server.address() as AddressInfo).port}`
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', () => resolve()))
  }

  lay(trip: Trip | undefined): void {
    this.#trip = trip
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    this.#agent.destroy()
    await closed
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const parts: Buffer[] = []
    for await (const part of incoming) parts.push(part as Buffer)
    const body = Buffer.concat(parts)
    const request = { method: incoming.method ?? '', path: incoming.url ?? '', body: body.toString('utf8') }
    this.passed.push(request)
    const trip = this.#trip
    const goesOff = trip?.counts(request) === true && trip.isIt(request)
    if (goesOff) this.#trip = undefined
    if (goesOff && trip.phase === 'before') {
      await trip.onTrip(request)
      outgoing.destroy()
      return
    }
    if (goesOff && trip.phase === 'meanwhile') await trip.onTrip(request)
    const answer = await this.#forward(incoming, body)
    if (!goesOff) {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
      outgoing.once('close', () => answer.destroy())
      return
    }
    for await (const _ of answer) {
      // Read to its end: the other side has done all that it does.
    }
    if (trip.phase === 'after') await trip.onTrip(request)
    outgoing.destroy()
  }

  #forward(incoming: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const headers = { ...incoming.headers, host: this.#target.host }
    const path = incoming.url ?? '/'
    const { hostname, port } = this.#target
    const options = { protocol: 'https:', hostname, port, path, method: incoming.method, headers, agent: this.#agent }
    const sent = httpRequest(options, resolve)
    sent.on('error', reject)
    sent.end(body)
    return promise
  }
}
