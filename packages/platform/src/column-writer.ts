/** Bytes of a tag and a length at most. */
const PREFIX_BYTES_MAX = 10
/** Bytes of a number at most: they are below 2^53. */
const NUMBER_BYTES_MAX = 8
const TWO_28 = 2 ** 28

/** A column of bytes or texts: entry `i` lies in `message` from `starts[i]` to `ends[i]`. */
export interface ByteColumn {
  readonly message: Uint8Array
  readonly starts: readonly number[]
  readonly ends: readonly number[]
}

/** A column of int64 that is only passed on: varints, one after another. */
export interface VarintColumn {
  readonly bytes: Uint8Array
  readonly count: number
}

/** A typed array of whole numbers from 0 to 2^53 - 1. */
export type NumberColumn = Uint8Array | Uint16Array | Uint32Array | Float64Array

/** Writes repeated fields of protobuf straight from columns. */
export class ColumnWriter {
  #bytes: Uint8Array
  #at = 0

  /** `expectedBytes`: room for these from the start; it grows when they do not do. */
  constructor(expectedBytes: number) {
    this.#bytes = new Uint8Array(expectedBytes)
  }

  /** What was written. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#at)
  }

  /** Fields that are encoded already. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }

  /** A packed field: `column[index]` for each index. */
  numbers(tag: number, indices: Uint32Array, column: NumberColumn): void {
    if (indices.length === 0) return
    this.#reserve(PREFIX_BYTES_MAX + indices.length * NUMBER_BYTES_MAX)
    const bytes = this.#bytes
    let at = putVarint(bytes, this.#at, tag)
    at = putVarint(bytes, at, packedBytes(indices, column))
    for (let entry = 0; entry < indices.length; entry += 1) {
      const value = column[indices[entry] as number] as number
      if (value < 0x80) {
        bytes[at] = value
        at += 1
      } else at = putVarint(bytes, at, value)
    }
    this.#at = at
  }

  /** A packed field whose entries are encoded already. */
  varints(tag: number, column: VarintColumn): void {
    if (column.count === 0) return
    this.#reserve(PREFIX_BYTES_MAX)
    this.#at = putVarint(this.#bytes, putVarint(this.#bytes, this.#at, tag), column.bytes.length)
    this.raw(column.bytes)
  }

  /** A repeated field of bytes or texts, of all entries or of those at the indices; its tag is below 128. */
  entries(tag: number, { message, starts, ends }: ByteColumn, indices?: Uint32Array): void {
    const count = indices === undefined ? starts.length : indices.length
    for (let place = 0; place < count; place += 1) {
      const entry = indices === undefined ? place : (indices[place] as number)
      const start = starts[entry] as number
      const end = ends[entry] as number
      this.#reserve(PREFIX_BYTES_MAX + end - start)
      const bytes = this.#bytes
      bytes[this.#at] = tag
      let at = putVarint(bytes, this.#at + 1, end - start)
      // Byte by byte: these are short, and a view of each would cost more than its copy.
      for (let from = start; from < end; from += 1, at += 1) bytes[at] = message[from] as number
      this.#at = at
    }
  }

  #reserve(more: number): void {
    const needed = this.#at + more
    if (needed <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    larger.set(this.#bytes.subarray(0, this.#at))
    this.#bytes = larger
  }
}

function packedBytes(indices: Uint32Array, column: NumberColumn): number {
  let sum = 0
  for (let entry = 0; entry < indices.length; entry += 1) sum += varintBytes(column[indices[entry] as number] as number)
  return sum
}

function varintBytes(value: number): number {
  let bytes = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes += 1
  return bytes
}

/** Writes a whole number below 2^53; returns where the next one goes. */
function putVarint(bytes: Uint8Array, start: number, value: number): number {
  let at = start
  let rest = value
  if (value >= TWO_28) {
    // Four groups of seven bits at once: the rest fits the fast 32-bit operations below.
    const low = value % TWO_28
    for (let shift = 0; shift < 28; shift += 7, at += 1) bytes[at] = ((low >>> shift) & 0x7f) | 0x80
    rest = Math.floor(value / TWO_28)
  }
  for (; rest >= 0x80; rest >>>= 7, at += 1) bytes[at] = (rest & 0x7f) | 0x80
  bytes[at] = rest
  return at + 1
}
