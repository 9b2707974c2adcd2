import { HpackDecoder } from '../hpack/decoder.ts'
import { HpackEncoder } from '../hpack/encoder.ts'
import { DEFAULT_TABLE_BYTES } from '../hpack/static-table.ts'
import { DEFAULT_WINDOW_BYTES, ErrorCode } from '../protocol/constants.ts'
import { type LocalSettings, rstStream } from '../protocol/frames.ts'
import { defaultPeerSettings, type PeerSettings, protocolError } from '../protocol/peer-settings.ts'
import { OutcomeCode, type Response } from '../request/outcome.ts'
import type { SessionHost } from './host.ts'
import { StreamTable } from './stream-table.ts'

/** Bounds of a session. */
export interface SessionOptions {
  readonly local: LocalSettings
  /** Streams that we open at once, whatever the peer allows. */
  readonly streamsMax: number
  /** Longest response body that is kept, in bytes. */
  readonly bodyBytesMax: number
  /** One stream until the first response with a 2xx status came (token authentication at APNs). */
  readonly probeFirst: boolean
  /** Highest stream id; lower than the protocol's in tests only. */
  readonly streamIdMax?: number
}

/** Streams that we reset and whose late frames are ignored: twice those that a connection may have open. */
const RESET_IDS_MAX = 20_000
/** Frames that bring no request further, between two calls of `tick`: more is a flood. */
const IDLE_FRAMES_MAX = 10_000

/** What both halves of a session share. */
export class SessionCore {
  readonly host: SessionHost
  readonly options: SessionOptions
  readonly table: StreamTable
  readonly encoder = new HpackEncoder()
  readonly decoder: HpackDecoder
  peer: PeerSettings = defaultPeerSettings
  /** Bytes that the peer lets us send on all streams together. */
  sendWindowBytes = DEFAULT_WINDOW_BYTES
  /** Wall clock at the last read. */
  nowMs: number
  /** A 2xx came. */
  succeeded = false
  /** Responses that came completely. */
  answered = 0
  /** Requests that ended as unknown. */
  unknown = 0
  /** Last stream that the peer may have processed; undefined before a GOAWAY. */
  goawayLastId: number | undefined
  /** Frames that brought no request further since the last answer or tick. */
  idleFrames = 0
  readonly #resetIds = new Set<number>()

  constructor(host: SessionHost, options: SessionOptions) {
    this.host = host
    this.options = options
    this.table = new StreamTable(options.streamIdMax)
    this.decoder = new HpackDecoder({ tableBytesMax: DEFAULT_TABLE_BYTES })
    this.nowMs = host.now()
  }

  /** A frame brought no request further; throws H2PushError `protocol` when there are too many. */
  countIdleFrame(): void {
    this.idleFrames += 1
    if (this.idleFrames > IDLE_FRAMES_MAX) throw protocolError(ErrorCode.enhanceYourCalm, 'a flood of empty frames')
  }

  /** Takes a late frame of a stream that is not live; throws H2PushError `protocol` unless we reset it. */
  takeStray(id: number, endStream: boolean, name: string): void {
    if (this.table.isIdle(id)) throw protocolError(ErrorCode.protocolError, `${name} on idle stream ${id}`)
    if (!this.#resetIds.has(id)) throw protocolError(ErrorCode.streamClosed, `${name} on closed stream ${id}`)
    if (endStream) this.#resetIds.delete(id)
  }

  /** Resets a stream and frees its slot; the caller has settled its request. */
  reset(slot: number, code: number): void {
    const id = this.table.ids[slot] as number
    this.host.write(rstStream(id, code))
    this.#resetIds.add(id)
    if (this.#resetIds.size > RESET_IDS_MAX) {
      for (const oldest of this.#resetIds) {
        this.#resetIds.delete(oldest)
        break
      }
    }
    this.table.close(slot)
  }

  /** Tells the caller of a stream that the response is complete; the slot stays. */
  respond(slot: number, status: number, response: Response | undefined): void {
    const { table } = this
    this.answered += 1
    if (status >= 200 && status < 300) this.succeeded = true
    const block = table.blocks[slot]
    if (block !== undefined) {
      block.respond(table.indexes[slot] as number, status, this.nowMs, response)
      return
    }
    const single = table.details.get(table.ids[slot] as number)?.single
    if (response !== undefined) single?.settle({ kind: 'response', ...response })
  }

  /** Tells the caller of a stream that the outcome is unknown; the slot stays. */
  endUnknown(slot: number, cause: string): void {
    const { table } = this
    this.unknown += 1
    table.blocks[slot]?.end(table.indexes[slot] as number, OutcomeCode.unknown, cause, this.nowMs)
    table.details.get(table.ids[slot] as number)?.single?.settle({ kind: 'unknown', cause })
  }

  /** Hands the request of a stream back as not processed and frees the slot. */
  giveBack(slot: number, cause: string): void {
    const { table, host } = this
    const block = table.blocks[slot]
    const index = table.indexes[slot] as number
    const single = table.details.get(table.ids[slot] as number)?.single
    table.close(slot)
    if (block?.giveBack(index, cause, this.nowMs) === true) host.source.giveBack(block)
    if (single?.giveBack(cause) === true) host.source.giveBackSingle(single)
  }
}
