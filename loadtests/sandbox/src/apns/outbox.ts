const CHUNK_BYTES = 65_536

/**
 * Collects what a connection writes within one turn, so that many answers leave in one write. Bytes are put into a
 * chunk from front to back and never again: the socket may hold them as long as it wants.
 */
export class Outbox {
  readonly #write: (bytes: Uint8Array) => void
  #chunk = Buffer.alloc(0)
  #start = 0
  #at = 0
  #isScheduled = false

  /** `write` takes bytes for good; it is called after the turn, or earlier when a chunk is full. */
  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write
  }

  /** Where the next byte goes in the chunk that `reserve` returns. */
  get at(): number {
    return this.#at
  }

  /** The chunk, with room for so many bytes at `at`; `commit` tells how many were used. */
  reserve(bytes: number): Buffer {
    if (this.#chunk.length - this.#at < bytes) {
      this.flush()
      this.#chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, bytes))
      this.#start = 0
      this.#at = 0
    }
    return this.#chunk
  }

  /** The bytes before this offset are to be written. */
  commit(at: number): void {
    this.#at = at
    if (this.#isScheduled) return
    this.#isScheduled = true
    queueMicrotask(() => {
      this.#isScheduled = false
      this.flush()
    })
  }

  /** Adds a copy of bytes. */
  append(bytes: Uint8Array): void {
    this.reserve(bytes.length).set(bytes, this.#at)
    this.commit(this.#at + bytes.length)
  }

  /** Writes what there is now. */
  flush(): void {
    if (this.#at === this.#start) return
    const bytes = this.#chunk.subarray(this.#start, this.#at)
    this.#start = this.#at
    this.#write(bytes)
  }
}
