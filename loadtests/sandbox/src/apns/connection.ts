import type { TLSSocket } from 'node:tls'
import type { ApnsFaults } from '../faults.ts'
import { nowMs } from '../journal.ts'
import type { TokenDirectory } from './directory.ts'
import { type PushLog, RowWriter } from './push-log.ts'
import type { PushStream } from './push-stream.ts'
import type { ApnsReason, ClientIdentity } from './rules.ts'
import { Session, type SessionHost } from './session.ts'
import type { AnswerCounter } from './statistics.ts'
import { answerBody, type Verdict, type Verdicts } from './verdicts.ts'

/** Bytes that may wait before the socket; a client that does not read its answers is not read either. */
const BACKLOG_BYTES_MAX = 1_048_576
/** How long a client may take to end after the last answer, ms. */
const LINGER_MS = 2000

/** What all connections share. */
export interface ApnsCore {
  readonly verdicts: Verdicts
  readonly log: PushLog
  readonly directory: TokenDirectory
  readonly counter: AnswerCounter
  readonly faults: () => ApnsFaults
}

interface Decided {
  readonly stream: PushStream
  readonly verdict: Verdict
}

/** One connection of a client: its socket, its HTTP/2 session, and what its pushes become. */
export class Connection implements SessionHost {
  readonly #socket: TLSSocket
  readonly #client: ClientIdentity
  readonly #core: ApnsCore
  readonly #session: Session
  readonly #rows: RowWriter
  #decided: Decided[] = []
  #lines = ''
  #readAt = 0
  #requests = 0
  #errors = 0

  constructor(socket: TLSSocket, client: ClientIdentity, core: ApnsCore) {
    this.#socket = socket
    this.#client = client
    this.#core = core
    this.#rows = new RowWriter(client.topic)
    this.#session = new Session(this, core.faults().streamLimit)
    socket.setNoDelay(true)
    socket.on('data', (bytes) => this.#onData(bytes))
    socket.on('drain', () => this.#readOn())
    socket.on('error', () => socket.destroy())
    socket.once('close', () => this.#session.drop())
  }

  /** Announces the stream limit of the faults. */
  announceStreamLimit(): void {
    this.#session.announce(this.#core.faults().streamLimit)
  }

  /** Takes no more pushes, answers those it has, and ends. */
  close(): void {
    this.#session.leave('')
  }

  write(bytes: Uint8Array): void {
    if (this.#socket.writable) this.#socket.write(bytes)
  }

  onOpen(): void {
    this.#requests += 1
    const { goawayEvery } = this.#core.faults()
    if (goawayEvery > 0 && this.#requests >= goawayEvery) this.#leave('Shutdown')
  }

  onPush(stream: PushStream): void {
    const { verdicts, counter } = this.#core
    const verdict = verdicts.decide(stream, this.#client, this.#readAt)
    counter.count(verdict.reason, verdict.at)
    this.#decided.push({ stream, verdict })
    this.#lines += this.#rows.line(verdict)
  }

  onEnd(): void {
    const socket = this.#socket
    // Not destroyed at once: that would reset the connection under answers that the client has not read.
    socket.end()
    // What still comes is dropped; its end must be read.
    socket.resume()
    const timer = setTimeout(() => socket.destroy(), LINGER_MS)
    socket.once('close', () => clearTimeout(timer))
  }

  #onData(bytes: Buffer): void {
    this.#readAt = nowMs()
    this.#session.receive(bytes)
    this.#log()
    const { log } = this.#core
    if (!log.isFull && this.#socket.writableLength <= BACKLOG_BYTES_MAX) return
    this.#socket.pause()
    if (log.isFull) log.whenRoom(() => this.#readOn())
  }

  #readOn(): void {
    if (this.#core.log.isFull) return
    if (this.#socket.isPaused() && this.#socket.writableLength <= BACKLOG_BYTES_MAX) this.#socket.resume()
  }

  /** All pushes of one read go into the journal together, and are answered together. */
  #log(): void {
    const decided = this.#decided
    if (decided.length === 0) return
    const lines = this.#lines
    this.#decided = []
    this.#lines = ''
    this.#core.log.append(lines, decided.length, () => {
      for (const push of decided) this.#onLogged(push)
    })
  }

  #onLogged({ stream, verdict }: Decided): void {
    const { directory, faults } = this.#core
    const { token, topic, reason, at } = verdict
    if (!reason) directory.deliver(token, topic, at)
    const { delayMs } = faults()
    if (delayMs > 0) setTimeout(() => this.#answer(stream, verdict), delayMs)
    else this.#answer(stream, verdict)
    this.#countError(reason)
  }

  #answer(stream: PushStream, verdict: Verdict): void {
    this.#session.answer(stream, verdict.status, verdict.apnsId, answerBody(verdict))
  }

  #countError(reason: ApnsReason | undefined): void {
    // Apple does not count 410; BadDeviceToken brings the end nearer.
    if (reason === 'Unregistered') return
    if (!reason) this.#errors = Math.max(0, this.#errors - 1)
    else this.#errors += reason === 'BadDeviceToken' ? 2 : 1
    const { errorLimit } = this.#core.faults()
    if (reason && this.#errors >= errorLimit) this.#leave(reason)
  }

  #leave(reason: string): void {
    this.#session.leave(JSON.stringify({ reason }))
  }
}
