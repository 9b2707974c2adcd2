import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { Random } from '../hpack/testing/random.ts'
import type { Ledger } from './ledger.ts'
import { NastyPeer, type Temper } from './nasty-peer.ts'
import { RawServer, type ServerIdentity } from './raw-server.ts'

/** What a nasty server is made of. */
export interface NastyServerOptions extends ServerIdentity {
  readonly seed: number
  readonly temper: Temper
  readonly ledger: Ledger
  /** How bytes are cut into writes, each a TLS record: as they come, at random, or one by one. */
  readonly split: 'none' | 'random' | 'bytes'
}

/** Pieces of one write with random splits. */
const PIECES_MAX = 5
/** A peer pauses for a moment once in so many steps: stalls are part of life. */
const PAUSE_ONCE_IN = 200
const PAUSE_MS = 3

/** Nasty peers behind TLS on a free port of 127.0.0.1. */
export class NastyServer implements AsyncDisposable {
  readonly peers: NastyPeer[] = []
  readonly #options: NastyServerOptions
  readonly #server: RawServer

  constructor(options: NastyServerOptions) {
    this.#options = options
    this.#server = new RawServer(options, (secure, socket) => this.#serve(secure, socket))
  }

  /** Listens; resolves with the origin. */
  listen(): Promise<string> {
    return this.#server.listen()
  }

  /** What clients did wrong; must be empty at the end of a test. */
  get violations(): string[] {
    return this.peers.flatMap(({ judge }) => judge.violations)
  }

  /** Ends all connections at once. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#server[Symbol.asyncDispose]()
  }

  #serve(secure: TLSSocket, socket: Socket): void {
    const { seed, temper, ledger } = this.#options
    const random = new Random(seed * 1_000 + this.peers.length)
    const peer = new NastyPeer(random, temper, ledger, {
      write: (bytes) => this.#write(secure, random, bytes),
      end: (how) => {
        if (how === 'reset') socket.resetAndDestroy()
        else secure.end()
      },
    })
    this.peers.push(peer)
    let isScheduled = false
    const go = (): void => {
      isScheduled = false
      if (!secure.destroyed && peer.step()) schedule()
    }
    const schedule = (): void => {
      if (isScheduled) return
      isScheduled = true
      if (random.once(PAUSE_ONCE_IN)) setTimeout(go, PAUSE_MS)
      else setImmediate(go)
    }
    secure.on('data', (bytes) => {
      peer.receive(bytes)
      schedule()
    })
    schedule()
  }

  #write(socket: TLSSocket, random: Random, bytes: Buffer): void {
    const { split } = this.#options
    if (!socket.writable) return
    if (split === 'bytes') for (const byte of bytes) socket.write(Buffer.of(byte))
    else if (split === 'none') socket.write(bytes)
    else {
      const cuts = Array.from({ length: random.below(PIECES_MAX) }, () => random.below(bytes.length + 1))
      let from = 0
      for (const to of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
        if (to > from) socket.write(bytes.subarray(from, to))
        from = to
      }
    }
  }
}
