import type { Random } from '../hpack/testing/random.ts'
import { ErrorCode, FrameType, Setting } from '../protocol/constants.ts'
import { AnswerWriter, type OpenAnswer } from './answer-writer.ts'
import { ClientJudge, type JudgeListener } from './client-judge.ts'
import {
  frame,
  goawayFrame,
  pingFrame,
  resetFrame,
  type SettingEntry,
  settingsAckFrame,
  settingsFrame,
  windowUpdateFrame,
} from './frame-writer.ts'
import type { JudgedRequest } from './judged-streams.ts'
import type { Ledger } from './ledger.ts'
import { randomAnswer } from './random-answer.ts'

/** How a connection ends. */
export type Ending =
  /** GOAWAY, once or more with falling ids; what is at or under the last is answered; then an orderly close. */
  | 'goaway'
  /** GOAWAY with id 0 and a reason: nothing was processed. */
  | 'goaway-zero'
  /** GOAWAY, then an orderly close without answers. */
  | 'goaway-close'
  /** GOAWAY, then a TCP reset. */
  | 'goaway-reset'
  /** GOAWAY, then silence. */
  | 'goaway-silence'
  /** An orderly close out of the blue. */
  | 'close'
  /** A TCP reset out of the blue. */
  | 'reset'
  /** A half-open socket: nothing comes any more. */
  | 'silence'

/** What a nasty peer does. One in so many, 0 for never. */
export interface Temper {
  /** Requests of a connection before it ends, at most; 0 for no end. */
  readonly requestsMax: number
  readonly endings: readonly Ending[]
  /** One request in so many is refused. */
  readonly refusedOnceIn: number
  /** One request in so many is reset with some other code. */
  readonly resetOnceIn: number
  /** One step in so many changes settings or writes a frame that means nothing. */
  readonly noiseOnceIn: number
  /** Longest body of an answer, in bytes. */
  readonly bodyBytesMax: number
  /** First stream limit; 0 for none. */
  readonly streams: number
}

/** Legal, but rude: all that may come, often. */
export const nastyTemper: Temper = {
  requestsMax: 3_000,
  endings: ['goaway', 'goaway', 'goaway', 'goaway-zero', 'goaway-close', 'goaway-reset', 'close', 'reset'],
  refusedOnceIn: 60,
  resetOnceIn: 200,
  noiseOnceIn: 30,
  bodyBytesMax: 40_000,
  streams: 0,
}

/** What a peer needs of its connection. */
export interface PeerHost {
  write(bytes: Buffer): void
  /** Ends the connection: after what was written, or at once by a TCP reset. */
  end(how: 'close' | 'reset'): void
}

const streamLimits = [1, 2, 10, 100, 1_000]
const tableSizes = [0, 64, 300, 4_096, 65_536]
const windowSizes = [0, 1, 100, 65_535, 1_000_000]
const frameSizes = [16_384, 20_000, 1_000_000, 16_777_215]
const listSizes = [17_000, 100_000, 0xffff_ffff]
/** Codes of a reset that tell nothing of what was done. */
const resetCodes = [
  ErrorCode.noError,
  ErrorCode.protocolError,
  ErrorCode.internalError,
  ErrorCode.flowControlError,
  ErrorCode.streamClosed,
  ErrorCode.cancel,
  ErrorCode.compressionError,
  ErrorCode.connectError,
  ErrorCode.inadequateSecurity,
  ErrorCode.http11Required,
  0xdead_beef,
]

/**
 * The server's half of one connection, without a socket: answers in random legal framing and order, changes settings
 * at any time, and ends in all ways that a server may. It acts when `step` is called.
 */
export class NastyPeer implements JudgeListener {
  readonly judge: ClientJudge
  readonly #random: Random
  readonly #temper: Temper
  readonly #ledger: Ledger
  readonly #host: PeerHost
  readonly #writer: AnswerWriter
  readonly #connection: number
  readonly #ending: Ending | undefined
  readonly #endsAfter: number
  /** Requests that nobody has looked at. */
  readonly #waiting: JudgedRequest[] = []
  readonly #answers: OpenAnswer[] = []
  /** Requests that were looked at before all of them came. */
  readonly #early = new Set<number>()
  #out: Buffer[] = []
  #received = 0
  /** Highest stream that was looked at. */
  #processedId = 0
  /** Streams above are not looked at. */
  #lastId = 0x7fff_ffff
  #goaways = 0
  #state: 'open' | 'leaving' | 'gone' = 'open'
  #streamLimit: number

  constructor(random: Random, temper: Temper, ledger: Ledger, host: PeerHost) {
    this.#random = random
    this.#temper = temper
    this.#ledger = ledger
    this.#host = host
    this.#connection = ledger.connect()
    this.judge = new ClientJudge(this)
    this.#writer = new AnswerWriter(random, this.judge, (bytes) => this.#out.push(bytes))
    this.#ending = temper.requestsMax > 0 ? random.of(temper.endings) : undefined
    this.#endsAfter = this.#ending === 'goaway-zero' ? 1 : 1 + random.below(Math.max(1, temper.requestsMax))
    this.#streamLimit = temper.streams || 100
    this.#sendSettings(temper.streams > 0 ? [[Setting.maxConcurrentStreams, temper.streams]] : this.#firstSettings())
  }

  /** Whether the connection is over, or looks so from outside. */
  get gone(): boolean {
    return this.#state === 'gone'
  }

  /** Takes bytes of the client. */
  receive(bytes: Uint8Array): void {
    if (this.#state !== 'gone') this.judge.receive(bytes)
  }

  /** Does a few things; whether it wrote anything. */
  step(): boolean {
    if (this.#state === 'gone') return false
    for (let times = 1 + this.#random.below(20); times > 0; times -= 1) this.#act()
    if (this.#out.length === 0) this.#unblock()
    const out = this.#out.splice(0)
    if (out.length > 0) this.#host.write(Buffer.concat(out))
    this.#leaveIfDone()
    return out.length > 0
  }

  onOpen(request: JudgedRequest): void {
    this.#received += 1
    if (request.ended || this.#ending === 'goaway-zero' || !this.#random.once(10)) return
    this.#early.add(request.id)
    this.#process(request)
  }

  onEnd(request: JudgedRequest): void {
    const sum = request.headers.find(([name]) => name === 'x-body-sum')?.[1]
    if (sum !== undefined && sum !== `${request.bodyBytes} ${request.bodySum}`)
      this.judge.violations.push(`the body of ${request.path} has ${request.bodyBytes} bytes, and not the right ones`)
    if (!this.#early.delete(request.id) && request.id <= this.#lastId) this.#waiting.push(request)
  }

  onReset(id: number): void {
    remove(this.#waiting, (request) => request.id === id)
    remove(this.#answers, (answer) => answer.id === id)
  }

  onSettings(): void {
    this.#out.push(settingsAckFrame)
    this.#writer.resizeTable()
  }

  onPing(payload: Buffer): void {
    this.#out.push(pingFrame(payload, true))
  }

  onGoaway(code: number): void {
    if (code !== ErrorCode.noError) this.judge.violations.push(`GOAWAY with code ${code}`)
  }

  #act(): void {
    const random = this.#random
    const { noiseOnceIn } = this.#temper
    if (this.#state === 'open' && this.#ending !== undefined && this.#received >= this.#endsAfter) this.#leave()
    else if (this.#state === 'leaving' && this.#ending === 'goaway' && random.once(30)) this.#lower()
    if (noiseOnceIn > 0 && random.once(noiseOnceIn)) this.#makeNoise()
    if (random.once(40)) this.#grant()
    if (this.#state === 'leaving' && this.#ending !== 'goaway') return
    const at = random.below(this.#waiting.length + this.#answers.length)
    const request = this.#waiting[at]
    if (request === undefined) this.#advance(at - this.#waiting.length)
    else {
      swapOut(this.#waiting, at)
      this.#process(request)
    }
  }

  #process(request: JudgedRequest): void {
    const random = this.#random
    const { id, path } = request
    const { refusedOnceIn, resetOnceIn, bodyBytesMax } = this.#temper
    if (id > this.#lastId) return
    if (refusedOnceIn > 0 && random.once(refusedOnceIn)) {
      this.#reset(id, ErrorCode.refusedStream)
      return
    }
    this.#processedId = Math.max(this.#processedId, id)
    const isReset = resetOnceIn > 0 && random.once(resetOnceIn)
    const answer = isReset ? undefined : randomAnswer(random, bodyBytesMax)
    this.#ledger.process(path, answer)
    if (answer === undefined) this.#reset(id, random.of(resetCodes))
    else {
      this.#answers.push({ id, path, answer, interimSent: 0, headersSent: false, bodySent: 0 })
      this.#advance(this.#answers.length - 1)
    }
  }

  #advance(at: number): void {
    const open = this.#answers[at]
    if (open === undefined || this.#writer.advance(open) !== 'done') return
    swapOut(this.#answers, at)
    this.#ledger.finish(open.path, this.#connection)
  }

  #reset(id: number, code: number): void {
    this.#out.push(resetFrame(id, code))
    this.judge.streams.reset(id)
  }

  #leave(): void {
    const ending = this.#ending
    this.#state = 'leaving'
    if (ending === 'goaway-zero') {
      this.#sendGoaway(0, ErrorCode.noError, '{"reason":"BadCertificate"}')
    } else if (ending === 'goaway') {
      this.#sendGoaway(this.#random.once(2) ? 0x7fff_ffff : this.judge.streams.lastId, ErrorCode.noError)
      if (this.#random.once(3)) this.#lower()
    } else if (ending?.startsWith('goaway')) {
      this.#sendGoaway(this.#lowest(), this.#random.of([ErrorCode.noError, ErrorCode.internalError]), 'no reason')
    }
  }

  /** A further GOAWAY, with the same id or a lower one. */
  #lower(): void {
    if (this.#goaways < 4) this.#sendGoaway(this.#lowest(), ErrorCode.noError)
  }

  /** A stream that may be the last: what was looked at is not above it. */
  #lowest(): number {
    const highest = Math.min(this.#lastId, this.judge.streams.lastId)
    return this.#processedId + this.#random.below(Math.max(0, highest - this.#processedId) + 1)
  }

  #sendGoaway(lastId: number, code: number, debug = ''): void {
    this.#lastId = lastId
    this.#goaways += 1
    this.#out.push(goawayFrame(lastId, code, debug))
    this.judge.sentGoaway()
    if (this.#random.once(2)) this.#ping()
    remove(this.#waiting, ({ id }) => id > lastId)
  }

  #leaveIfDone(): void {
    if (this.#state !== 'leaving') return
    if (this.#ending === 'goaway') {
      if (this.judge.streams.ids.some((id) => id <= this.#lastId)) return
      // The client may still be opening streams that it holds to be under the last one.
      if (this.#lastId > this.judge.streams.lastId) this.#sendGoaway(this.judge.streams.lastId, ErrorCode.noError)
      const out = this.#out.splice(0)
      if (out.length > 0) this.#host.write(Buffer.concat(out))
    }
    this.#state = 'gone'
    if (this.#ending?.endsWith('silence') === true) return
    const isReset = this.#ending?.endsWith('reset') === true
    if (isReset) this.#ledger.lose(this.#connection)
    this.#host.end(isReset ? 'reset' : 'close')
  }

  /** Nothing was written: whatever the client may wait for is given. */
  #unblock(): void {
    if (this.#streamLimit === 0) this.#sendSettings([[Setting.maxConcurrentStreams, 10]])
    this.#grant()
  }

  /** Lets the client send more of the bodies of its requests. */
  #grant(): void {
    const random = this.#random
    const { streams } = this.judge
    if (streams.receiveWindowBytes < 70_000) this.#sendGrant(0, 1 + random.below(200_000))
    for (const id of streams.starvedIds) this.#sendGrant(id, 1 + random.below(random.once(3) ? 10 : 60_000))
  }

  #sendGrant(id: number, bytes: number): void {
    this.#out.push(windowUpdateFrame(id, bytes))
    this.judge.streams.granted(id, bytes)
  }

  #makeNoise(): void {
    const random = this.#random
    const kind = random.below(6)
    if (kind === 0) this.#ping()
    else if (kind === 1) this.#out.push(frame(FrameType.priority, 0, 1 + random.below(99), Buffer.alloc(5, 1)))
    else if (kind === 2) this.#out.push(this.#unknownFrame())
    else if (kind === 3) this.#sendGrant(random.once(2) ? 0 : (this.judge.streams.someId ?? 0), 1 + random.below(9))
    else this.#sendSettings(this.#changedSettings())
  }

  #unknownFrame(): Buffer {
    const random = this.#random
    const payload = Buffer.alloc(random.below(random.once(20) ? 16_385 : 60), 0xee)
    return frame(10 + random.below(246), random.below(256), random.below(1_000), payload)
  }

  #ping(): void {
    const payload = Buffer.alloc(8)
    payload.writeUInt32BE(this.#random.below(0xffff_ffff))
    this.#out.push(pingFrame(payload))
    this.judge.sentPing(payload)
  }

  #firstSettings(): readonly SettingEntry[] {
    return this.#random.once(4) ? [] : [[Setting.maxConcurrentStreams, 100], ...this.#changedSettings()]
  }

  #changedSettings(): readonly SettingEntry[] {
    const random = this.#random
    return Array.from({ length: random.below(4) }, () => {
      const id = random.of([1, 1, 2, 3, 3, 3, 4, 4, 5, 6, 0x0a0a])
      if (id === Setting.headerTableSize) return [id, random.of(tableSizes)]
      if (id === Setting.maxConcurrentStreams) return [id, random.once(30) ? 0 : random.of(streamLimits)]
      if (id === Setting.initialWindowSize) return [id, random.of(windowSizes)]
      if (id === Setting.maxFrameSize) return [id, random.of(frameSizes)]
      if (id === Setting.maxHeaderListSize) return [id, random.of(listSizes)]
      return [id, id === Setting.enablePush ? 0 : random.below(0xffff_ffff)]
    })
  }

  #sendSettings(entries: readonly SettingEntry[]): void {
    for (const [id, value] of entries) if (id === Setting.maxConcurrentStreams) this.#streamLimit = value
    this.#out.push(settingsFrame(entries))
    this.judge.sentSettings(entries)
  }
}

function swapOut<Item>(items: Item[], at: number): void {
  const last = items.pop()
  if (at < items.length && last !== undefined) items[at] = last
}

function remove<Item>(items: Item[], isGone: (item: Item) => boolean): void {
  for (let at = items.length - 1; at >= 0; at -= 1) if (isGone(items[at] as Item)) items.splice(at, 1)
}
