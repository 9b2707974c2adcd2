/** Bytes of columns that are kept for the next blocks. */
const KEPT_BYTES_MAX = 8 * 1_048_576

/** What became of the requests of a block: one memory, cut into columns. */
export interface Columns {
  readonly memory: ArrayBuffer
  readonly endedAfterMs: Uint32Array
  readonly statuses: Uint16Array
  readonly outcomes: Uint8Array
  readonly captured: Uint8Array
}

const kept = new Map<number, ArrayBuffer[]>()
let keptBytes = 0

/** Columns full of zeros for so many requests. */
export function takeColumns(size: number, captureBytes: number): Columns {
  const bytes = size * (7 + captureBytes)
  const known = kept.get(bytes)?.pop()
  if (known !== undefined) keptBytes -= bytes
  const memory = known ?? new ArrayBuffer(bytes)
  if (known !== undefined) new Uint8Array(memory).fill(0)
  return {
    memory,
    endedAfterMs: new Uint32Array(memory, 0, size),
    statuses: new Uint16Array(memory, size * 4, size),
    outcomes: new Uint8Array(memory, size * 6, size),
    captured: new Uint8Array(memory, size * 7, size * captureBytes),
  }
}

/** Keeps columns that nobody reads any more, as far as there is room: the garbage collector would be late. */
export function keepColumns({ memory }: Columns): void {
  const bytes = memory.byteLength
  if (keptBytes + bytes > KEPT_BYTES_MAX) return
  const alike = kept.get(bytes) ?? []
  kept.set(bytes, alike)
  alike.push(memory)
  keptBytes += bytes
}
