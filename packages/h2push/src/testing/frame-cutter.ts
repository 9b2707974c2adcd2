import { FRAME_HEADER_BYTES } from '../protocol/constants.ts'

/** A frame that was received. */
export interface ReceivedFrame {
  readonly type: number
  readonly flags: number
  readonly streamId: number
  readonly payload: Buffer
}

/** Cuts bytes into frames in the plainest way, apart from the client's own reader. */
export class FrameCutter {
  #rest: Buffer = Buffer.alloc(0)

  /** Bytes that are not a whole frame yet. */
  get rest(): Buffer {
    return this.#rest
  }

  /** The frames that are whole now. */
  cut(bytes: Uint8Array): ReceivedFrame[] {
    const all = this.#rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#rest, bytes])
    const frames: ReceivedFrame[] = []
    let at = 0
    while (all.length - at >= FRAME_HEADER_BYTES) {
      const end = at + FRAME_HEADER_BYTES + all.readUIntBE(at, 3)
      if (end > all.length) break
      frames.push({
        type: all.readUInt8(at + 3),
        flags: all.readUInt8(at + 4),
        streamId: all.readUInt32BE(at + 5),
        payload: all.subarray(at + FRAME_HEADER_BYTES, end),
      })
      at = end
    }
    this.#rest = all.subarray(at)
    return frames
  }
}

/** The frames of these bytes, which end with a whole one. */
export function framesOf(bytes: Uint8Array): ReceivedFrame[] {
  const cutter = new FrameCutter()
  const frames = cutter.cut(bytes)
  if (cutter.rest.length > 0) throw new Error(`${cutter.rest.length} bytes after the last frame`)
  return frames
}
