import { ErrorCode, Flag } from '../protocol/constants.ts'
import { copyBytes, windowUpdate } from '../protocol/frames.ts'
import { protocolError } from '../protocol/peer-settings.ts'
import type { Response } from '../request/outcome.ts'
import type { SessionCore } from './core.ts'
import { HeaderReader } from './header-reader.ts'
import { newDetail, type StreamDetail } from './stream-detail.ts'

/** Window of the connection for response bodies, in bytes. */
export const CONNECTION_WINDOW_BYTES = 4 * 1_048_576

/** The part of a session that turns HEADERS, DATA and RST_STREAM into outcomes. */
export class Responses {
  readonly #core: SessionCore
  readonly #reader = new HeaderReader()
  readonly #captureIds = new Map<string, number>()
  #unreturnedBytes = 0

  constructor(core: SessionCore) {
    this.#core = core
  }

  /** A whole header block of a stream. */
  onHeaders(id: number, endStream: boolean, block: Uint8Array, start: number, end: number): void {
    const core = this.#core
    const { table } = core
    const slot = table.slotOf(id)
    if (slot < 0) {
      this.#onStrayHeaders(id, endStream, block, start, end)
      return
    }
    const owner = table.blocks[slot]
    if (!endStream || owner === undefined || (table.details.size > 0 && table.details.has(id))) {
      this.#onFullHeaders(slot, endStream, block, start, end)
      return
    }
    const reader = this.#reader
    const { template } = owner
    const captureBytes = template.captureBytesMax
    const captureAt = (table.indexes[slot] as number) * captureBytes
    reader.startBrief(this.#captureId(template.captureName), owner.captured, captureAt, captureBytes)
    core.decoder.decode(block, start, end, reader)
    if (reader.status === 200 && reader.fault === '') {
      core.respond(slot, 200, undefined)
      table.close(slot)
      return
    }
    if (this.#isRefused(slot, false)) return
    if (reader.status < 200) this.#refuse(slot, 'an interim response ends the stream')
    else this.#finish(slot, { ...newDetail(undefined, 0), status: reader.status, headers: reader.headers })
  }

  /** A DATA frame without its padding; `frameBytes` with it. */
  onData(id: number, endStream: boolean, bytes: Uint8Array, start: number, end: number, frameBytes: number): void {
    const core = this.#core
    this.#returnToConnection(frameBytes)
    const slot = core.table.slotOf(id)
    if (slot < 0) {
      core.takeStray(id, endStream, 'DATA')
      return
    }
    const detail = core.table.details.get(id)
    if (detail === undefined || (detail.status === 0 && !detail.abandoned)) {
      this.#refuse(slot, 'DATA before response headers')
      return
    }
    this.#countStreamWindow(id, detail, endStream, frameBytes)
    if (detail.abandoned) {
      if (endStream) core.table.close(slot)
      return
    }
    const kept = Math.min(
      end - start,
      core.options.bodyBytesMax - Math.min(core.options.bodyBytesMax, detail.bodyBytes),
    )
    if (kept > 0) detail.bodyParts.push(copyBytes(bytes, start, start + kept))
    detail.bodyBytes += end - start
    if (endStream) this.#finish(slot, detail)
    else if (detail.bodyBytes > core.options.bodyBytesMax) this.#truncate(slot, detail)
  }

  /** The peer ended a stream. */
  onReset(id: number, code: number): void {
    const core = this.#core
    const slot = core.table.slotOf(id)
    if (slot < 0) {
      if (core.table.isIdle(id)) throw protocolError(ErrorCode.protocolError, `RST_STREAM on idle stream ${id}`)
      core.countIdleFrame()
      return
    }
    if (code === ErrorCode.enhanceYourCalm) core.host.onCalm()
    if (code === ErrorCode.refusedStream) {
      core.giveBack(slot, 'refused')
      return
    }
    core.endUnknown(slot, `reset by the peer with code ${code}`)
    core.table.close(slot)
  }

  #onFullHeaders(slot: number, endStream: boolean, block: Uint8Array, start: number, end: number): void {
    const core = this.#core
    const { table } = core
    const id = table.ids[slot] as number
    const detail = table.details.get(id) ?? newDetail(undefined, 0)
    table.details.set(id, detail)
    const reader = this.#reader
    const isTrailer = detail.status !== 0
    reader.startFull(isTrailer)
    const owner = table.blocks[slot]
    if (owner !== undefined && !isTrailer) {
      const { captureName, captureBytesMax } = owner.template
      const at = (table.indexes[slot] as number) * captureBytesMax
      reader.capture(this.#captureId(captureName), owner.captured, at, captureBytesMax)
    }
    core.decoder.decode(block, start, end, reader)
    if (detail.abandoned) {
      if (endStream) table.close(slot)
      return
    }
    if (this.#isRefused(slot, isTrailer)) return
    if (isTrailer) {
      detail.trailers = reader.headers
      if (endStream) this.#finish(slot, detail)
      else this.#refuse(slot, 'trailers without an end')
      return
    }
    // 1xx: the real one follows (RFC 9110 section 15.2).
    if (reader.status < 200) {
      core.countIdleFrame()
      if (endStream || reader.status === 101) this.#refuse(slot, 'an interim response of a wrong kind')
      return
    }
    detail.status = reader.status
    detail.headers = reader.headers
    const length = reader.headers.find(([name]) => name === 'content-length')?.[1]
    detail.contentLength = length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : -1
    if (endStream) this.#finish(slot, detail)
  }

  /** Headers of a stream that nobody waits for still change the table of the decoder. */
  #onStrayHeaders(id: number, endStream: boolean, block: Uint8Array, start: number, end: number): void {
    this.#core.takeStray(id, endStream, 'HEADERS')
    this.#reader.startFull(true)
    this.#core.decoder.decode(block, start, end, this.#reader)
  }

  #isRefused(slot: number, isTrailer: boolean): boolean {
    const { status, fault, listBytes } = this.#reader
    const tooLong = listBytes > this.#core.options.local.headerListBytesMax
    if (fault === '' && !tooLong && (isTrailer || status !== 0)) return false
    this.#refuse(slot, tooLong ? 'header list too long' : fault || 'no :status')
    return true
  }

  /** A malformed response: the request was processed, but how it ended cannot be known (RFC 9113 section 8.1.1). */
  #refuse(slot: number, why: string): void {
    const core = this.#core
    core.endUnknown(slot, `malformed response: ${why}`)
    core.reset(slot, ErrorCode.protocolError)
  }

  #truncate(slot: number, detail: StreamDetail): void {
    const core = this.#core
    core.respond(slot, detail.status, responseOf(detail, true))
    core.reset(slot, ErrorCode.cancel)
  }

  #finish(slot: number, detail: StreamDetail): void {
    const core = this.#core
    const { contentLength, bodyBytes, status } = detail
    const hasBody = bodyBytes > 0 || (detail.single?.head.method !== 'HEAD' && status !== 204 && status !== 304)
    if (contentLength >= 0 && contentLength !== bodyBytes && hasBody) {
      this.#refuse(slot, `a body of ${bodyBytes} bytes with content-length ${contentLength}`)
      return
    }
    core.respond(slot, status, responseOf(detail, bodyBytes > core.options.bodyBytesMax))
    // The peer answered before it had the whole request: it wants no more of it (RFC 9113 section 8.1).
    if (detail.requestEnded) core.table.close(slot)
    else core.reset(slot, ErrorCode.noError)
  }

  #captureId(name: string): number {
    if (name === '') return 0
    const known = this.#captureIds.get(name)
    if (known !== undefined) return known
    const id = this.#core.decoder.watch(name)
    this.#captureIds.set(name, id)
    return id
  }

  /** Half of the window is given back as soon as it is used, and a frame is smaller than that: nobody can pass it. */
  #returnToConnection(bytes: number): void {
    this.#unreturnedBytes += bytes
    if (this.#unreturnedBytes < CONNECTION_WINDOW_BYTES / 2) return
    this.#core.host.write(windowUpdate(0, this.#unreturnedBytes))
    this.#unreturnedBytes = 0
  }

  #countStreamWindow(id: number, detail: StreamDetail, endStream: boolean, bytes: number): void {
    const { streamWindowBytes } = this.#core.options.local
    detail.unreturnedBytes += bytes
    if (endStream || detail.unreturnedBytes < streamWindowBytes / 2) return
    this.#core.host.write(windowUpdate(id, detail.unreturnedBytes))
    detail.unreturnedBytes = 0
  }
}

function responseOf(detail: StreamDetail, truncated: boolean): Response {
  const { status, headers, trailers, bodyParts } = detail
  const [only] = bodyParts
  const body = bodyParts.length === 1 && only !== undefined ? only : Buffer.concat(bodyParts)
  return { status, headers, body, truncated, trailers }
}

/** The bytes of a frame between its padding; throws H2PushError `protocol`. */
export function withoutPadding(
  flags: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): { readonly start: number; readonly end: number } {
  if ((flags & Flag.padded) === 0) return { start, end }
  const padding = bytes[start] as number
  if (start >= end || padding > end - start - 1)
    throw protocolError(ErrorCode.protocolError, 'padding longer than its frame')
  return { start: start + 1, end: end - padding }
}
