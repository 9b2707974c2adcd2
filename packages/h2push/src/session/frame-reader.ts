import { DEFAULT_FRAME_BYTES, ErrorCode, FRAME_HEADER_BYTES } from '../protocol/constants.ts'
import { readUint32 } from '../protocol/frames.ts'
import { protocolError } from '../protocol/peer-settings.ts'

/** Takes complete frames. The bytes are valid during the call only. */
export interface FrameHandler {
  onFrame(type: number, flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void
}

const CARRY_BYTES = FRAME_HEADER_BYTES + DEFAULT_FRAME_BYTES

/** Cuts the bytes of a socket into frames: in place where a frame is whole, over a carry buffer where it is torn. */
export class FrameReader {
  readonly #handler: FrameHandler
  #carry: Uint8Array | undefined
  #carried = 0

  constructor(handler: FrameHandler) {
    this.#handler = handler
  }

  /** Reads what the socket gave; throws H2PushError `protocol` for a frame larger than we allow. */
  read(bytes: Uint8Array, length: number): void {
    let at = 0
    while (this.#carried > 0 && at < length) at = this.#fillCarry(bytes, at, length)
    if (this.#carried > 0) return
    while (length - at >= FRAME_HEADER_BYTES) {
      const end = at + FRAME_HEADER_BYTES + payloadBytes(bytes, at)
      if (end > length) break
      this.#emit(bytes, at, end)
      at = end
    }
    if (at < length) this.#keep(bytes, at, length)
  }

  #fillCarry(bytes: Uint8Array, start: number, length: number): number {
    const carry = this.#carry as Uint8Array
    const wanted = this.#carried < FRAME_HEADER_BYTES ? FRAME_HEADER_BYTES : FRAME_HEADER_BYTES + payloadBytes(carry, 0)
    const taken = Math.min(wanted - this.#carried, length - start)
    carry.set(bytes.subarray(start, start + taken), this.#carried)
    this.#carried += taken
    const isWhole = this.#carried >= FRAME_HEADER_BYTES && this.#carried === FRAME_HEADER_BYTES + payloadBytes(carry, 0)
    if (isWhole) {
      const end = this.#carried
      this.#carried = 0
      this.#emit(carry, 0, end)
    }
    return start + taken
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    this.#carry ??= new Uint8Array(CARRY_BYTES)
    this.#carry.set(bytes.subarray(start, end), 0)
    this.#carried = end - start
  }

  #emit(bytes: Uint8Array, at: number, end: number): void {
    const streamId = readUint32(bytes, at + 5) & 0x7fff_ffff
    this.#handler.onFrame(
      bytes[at + 3] as number,
      bytes[at + 4] as number,
      streamId,
      bytes,
      at + FRAME_HEADER_BYTES,
      end,
    )
  }
}

function payloadBytes(bytes: Uint8Array, at: number): number {
  const length = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number)
  if (length > DEFAULT_FRAME_BYTES) throw protocolError(ErrorCode.frameSizeError, `a frame of ${length} bytes`)
  return length
}
