import { EncoderTable } from './encoder-table.ts'
import { encodeHuffman, huffmanBytes } from './huffman.ts'
import { INTEGER_BYTES_MAX, writeInteger } from './integer.ts'
import { DEFAULT_TABLE_BYTES, staticEntries } from './static-table.ts'

/** Largest dynamic table that an encoder uses, in bytes, whatever the peer allows. */
export const ENCODER_TABLE_BYTES_MAX = 4_096

/**
 * How a header is written (RFC 7541 section 6): `index` as an index where the tables have it, else added to the
 * dynamic table; `literal` raw, without adding it; `never` likewise, and no one on the way may add it either.
 */
export type IndexMode = 'index' | 'literal' | 'never'

const INDEXED = 0x80
const INDEXED_MAX = 0x7f
const INDEXING = 0x40
const INDEXING_MAX = 0x3f
const SIZE_UPDATE = 0x20
const SIZE_UPDATE_MAX = 0x1f
const NEVER_INDEXED = 0x10
const PLAIN_MAX = 0x0f
const HUFFMAN = 0x80
const STRING_MAX = 0x7f

/** Index of the first static entry of a name. */
const staticNames = new Map<string, number>()
/** Index of a static entry by name and value. */
const staticValues = new Map<string, Map<string, number>>()
staticEntries.forEach(([name, value], index) => {
  if (index === 0) return
  if (!staticNames.has(name)) staticNames.set(name, index)
  staticValues.set(name, (staticValues.get(name) ?? new Map<string, number>()).set(value, index))
})

/**
 * Encodes the header blocks of one connection, in the order of the wire (RFC 7541). Names and values are latin1.
 * Each block begins with `begin`, then comes `header` for each header; the caller provides the room.
 */
export class HpackEncoder {
  readonly #table = new EncoderTable(DEFAULT_TABLE_BYTES)
  /** Size that the decoder will know after the next block. */
  #limitBytes = DEFAULT_TABLE_BYTES
  /** Smallest size since the last block. */
  #smallestBytes = DEFAULT_TABLE_BYTES
  #isUpdateDue = false
  #epoch = 0

  /**
   * Grows whenever an index that was written before may stand for something else from now on: after an insertion, an
   * eviction or another table size. Bytes may be repeated as they are while it stays the same.
   */
  get epoch(): number {
    return this.#epoch
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. The next block announces what changed (RFC 7541 section 4.2). */
  setPeerTableBytesMax(bytes: number): void {
    const limitBytes = Math.min(bytes, ENCODER_TABLE_BYTES_MAX)
    if (limitBytes === this.#limitBytes) return
    this.#smallestBytes = this.#isUpdateDue ? Math.min(this.#smallestBytes, limitBytes) : limitBytes
    this.#limitBytes = limitBytes
    this.#isUpdateDue = true
    this.#epoch += 1
    this.#table.setLimit(limitBytes)
  }

  /** Starts a block; returns the offset after the size updates that were due, at most 12 bytes. */
  begin(out: Uint8Array, at: number): number {
    if (!this.#isUpdateDue) return at
    this.#isUpdateDue = false
    let next = at
    if (this.#smallestBytes < this.#limitBytes)
      next = writeInteger(out, next, SIZE_UPDATE, SIZE_UPDATE_MAX, this.#smallestBytes)
    return writeInteger(out, next, SIZE_UPDATE, SIZE_UPDATE_MAX, this.#limitBytes)
  }

  /**
   * Writes a header, at most `headerBytesMax` bytes; returns the offset after it. In the modes `literal` and `never`
   * the value is the last `value.length` bytes, as they are, so that they may be patched.
   */
  header(out: Uint8Array, at: number, name: string, value: string, mode: IndexMode): number {
    if (mode !== 'index') {
      const flags = mode === 'never' ? NEVER_INDEXED : 0
      const next = this.#writeName(out, at, name, flags, PLAIN_MAX)
      return writeRaw(out, next, value)
    }
    const known = this.#find(name, value)
    if (known !== 0) return writeInteger(out, at, INDEXED, INDEXED_MAX, known)
    if (!this.#table.fits(name, value)) {
      const next = this.#writeName(out, at, name, 0, PLAIN_MAX)
      return writeString(out, next, value)
    }
    const next = this.#writeName(out, at, name, INDEXING, INDEXING_MAX)
    this.#table.add(name, value)
    this.#epoch += 1
    return writeString(out, next, value)
  }

  /** Whether mode `index` would write this header as an index now. */
  contains(name: string, value: string): boolean {
    return this.#find(name, value) !== 0
  }

  /** Whether the entry fits the dynamic table as it is now, if need be alone. */
  fits(name: string, value: string): boolean {
    return this.#table.fits(name, value)
  }

  #find(name: string, value: string): number {
    return staticValues.get(name)?.get(value) ?? this.#table.find(name, value)
  }

  #writeName(out: Uint8Array, at: number, name: string, flags: number, prefixMax: number): number {
    const index = staticNames.get(name) ?? this.#table.findName(name)
    const next = writeInteger(out, at, flags, prefixMax, index)
    return index === 0 ? writeString(out, next, name) : next
  }
}

/** Bytes that `HpackEncoder.header` writes at most. */
export function headerBytesMax(name: string, value: string): number {
  return name.length + value.length + 3 * INTEGER_BYTES_MAX
}

function writeString(out: Uint8Array, at: number, text: string): number {
  const bytes = huffmanBytes(text)
  if (bytes >= text.length) return writeRaw(out, at, text)
  return encodeHuffman(text, out, writeInteger(out, at, HUFFMAN, STRING_MAX, bytes))
}

function writeRaw(out: Uint8Array, at: number, text: string): number {
  const next = writeInteger(out, at, 0, STRING_MAX, text.length)
  for (let index = 0; index < text.length; index += 1) out[next + index] = text.charCodeAt(index)
  return next + text.length
}
