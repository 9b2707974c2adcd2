/** Size of a write buffer, in bytes: larger ones cost memory and save nothing (measured). */
export const WRITE_BUFFER_BYTES = 65_536
/** Buffers kept for reuse. */
const KEPT_MAX = 64

/** A buffer of prepared requests. It remembers what is stamped into it, so that the next use only patches it. */
export interface WriteBuffer {
  readonly bytes: Buffer
  readonly view: DataView
  /** What is repeated in it from its start; undefined for nothing. */
  stamp: Uint8Array | undefined
  /** How often. */
  stamped: number
}

/** Write buffers that connections share. One comes back only when the socket has taken its bytes. */
export class WriteBuffers {
  readonly #kept: WriteBuffer[] = []

  /** A buffer; one that holds the stamp already if there is one at hand. */
  take(stamp: Uint8Array): WriteBuffer {
    const kept = this.#kept
    for (let at = kept.length - 1; at >= 0; at -= 1) {
      if (kept[at]?.stamp !== stamp) continue
      const [found] = kept.splice(at, 1)
      if (found !== undefined) return found
    }
    return kept.pop() ?? makeBuffer()
  }

  /** Gives one back. */
  put(buffer: WriteBuffer): void {
    if (this.#kept.length < KEPT_MAX) this.#kept.push(buffer)
  }
}

function makeBuffer(): WriteBuffer {
  const bytes = Buffer.allocUnsafeSlow(WRITE_BUFFER_BYTES)
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), stamp: undefined, stamped: 0 }
}
