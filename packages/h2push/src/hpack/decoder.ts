import { DecoderTable, STATUS_ID } from './decoder-table.ts'
import { HpackError } from './errors.ts'
import { decodeHuffman } from './huffman.ts'
import { integerBytes, readInteger } from './integer.ts'
import { DEFAULT_TABLE_BYTES } from './static-table.ts'

export { STATUS_ID } from './decoder-table.ts'

/** Largest dynamic table of a decoder, in bytes. */
export const DECODER_TABLE_BYTES_MAX = 1_048_576
/** Names that one decoder may watch. */
export const WATCHED_NAMES_MAX = 256

/** Bits of the first byte of a representation (RFC 7541 section 6) and of a string. */
const INDEXED = 0x80
const INDEXING = 0x40
const SIZE_UPDATE = 0x20
const HUFFMAN = 0x80
const INDEXED_MAX = 0x7f
const INDEXING_MAX = 0x3f
const SIZE_UPDATE_MAX = 0x1f
const PLAIN_MAX = 0x0f
const STRING_MAX = 0x7f
/** Up to here a loop copies faster than a call does. */
const SHORT_COPY_BYTES = 64
/** A Huffman code has five bits or more. */
const HUFFMAN_GROWTH = 8 / 5

/** Receives the headers of a block in the order of the wire. */
export interface HeaderVisitor {
  /**
   * One header. The ranges are valid during the call only.
   *
   * @param watchId what `watch` returned for the name; 0 for a name that nobody watches
   */
  onHeader(
    watchId: number,
    name: Uint8Array,
    nameStart: number,
    nameEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void
}

/**
 * Decodes the header blocks of one connection, in the order of the wire (RFC 7541). Memory is bounded by the size of
 * the table and of the longest block; nothing is allocated per block. After an HpackError it is of no more use.
 */
export class HpackDecoder {
  readonly #table: DecoderTable
  /** Names by id; the first two places are taken by no name and by `:status`. */
  readonly #watched: Uint8Array[] = [new Uint8Array(0), Buffer.from(':status', 'latin1')]
  readonly #ids = new Map([[':status', STATUS_ID]])
  #tableBytesMax: number
  /** What the size update that is due may announce at most; -1 when none is due. */
  #dueBytesMax = -1
  /** End of the string that was read last, in the table's bytes. */
  #stringEnd = 0

  /** @param options.tableBytesMax what was announced as SETTINGS_HEADER_TABLE_SIZE; at most 1 MiB, else RangeError */
  constructor(options: { readonly tableBytesMax: number }) {
    this.#tableBytesMax = checkedTableBytes(options.tableBytesMax)
    this.#table = new DecoderTable(this.#tableBytesMax)
    this.#table.setLimit(Math.min(DEFAULT_TABLE_BYTES, this.#tableBytesMax))
  }

  /**
   * Id of a name in lower case, from now on passed to the visitor: a small integer, 1 for `:status`, from 2 for others,
   * always the same for a name. At most 256 names, else RangeError.
   */
  watch(name: string): number {
    const known = this.#ids.get(name)
    if (known !== undefined) return known
    const id = this.#watched.length
    if (id >= WATCHED_NAMES_MAX) throw new RangeError(`at most ${WATCHED_NAMES_MAX} watched header names`)
    const bytes = Buffer.from(name, 'latin1')
    this.#ids.set(name, id)
    this.#watched.push(bytes)
    this.#table.watch(bytes, id)
    return id
  }

  /**
   * The peer acknowledged another SETTINGS_HEADER_TABLE_SIZE; at most 1 MiB, else RangeError. When it is below the size
   * in use, the next block must begin with a size update (RFC 7541 section 4.2).
   */
  setTableBytesMax(bytes: number): void {
    this.#tableBytesMax = checkedTableBytes(bytes)
    this.#table.reserve(bytes)
    const inUse = this.#dueBytesMax < 0 ? this.#table.limitBytes : this.#dueBytesMax
    if (bytes < inUse) this.#dueBytesMax = bytes
  }

  /**
   * Decodes one whole header block, `block` from `start` to `end`. The caller bounds its length: memory may grow to a
   * few times of it. Throws HpackError; headers before the fault have been passed on by then.
   */
  decode(block: Uint8Array, start: number, end: number, visitor: HeaderVisitor): void {
    const table = this.#table
    let at = start
    if (start < end && (((block[start] as number) & 0xe0) === SIZE_UPDATE || this.#dueBytesMax >= 0))
      at = this.#updateSize(block, start, end)
    while (at < end) {
      const first = block[at] as number
      if (first < INDEXED) {
        at = this.#literal(block, at, end, visitor)
        continue
      }
      let index = first & INDEXED_MAX
      at += 1
      if (index === INDEXED_MAX) {
        index = readInteger(block, at, end, INDEXED_MAX)
        at += integerBytes(block, at)
      }
      const entry = this.#entry(index)
      const { bytes, entries } = table
      const valueStart = entries[entry + 1] as number
      visitor.onHeader(
        entries[entry + 3] as number,
        bytes,
        entries[entry] as number,
        valueStart,
        bytes,
        valueStart,
        entries[entry + 2] as number,
      )
    }
  }

  /** Reads the size updates at the start of a block (RFC 7541 section 6.3). */
  #updateSize(block: Uint8Array, start: number, end: number): number {
    let at = start
    while (at < end && ((block[at] as number) & 0xe0) === SIZE_UPDATE) {
      let bytes = (block[at] as number) & SIZE_UPDATE_MAX
      at += 1
      if (bytes === SIZE_UPDATE_MAX) {
        bytes = readInteger(block, at, end, SIZE_UPDATE_MAX)
        at += integerBytes(block, at)
      }
      // The first one after several changes tells the smallest of them.
      const bytesMax = this.#dueBytesMax < 0 ? this.#tableBytesMax : this.#dueBytesMax
      if (bytes > bytesMax) throw new HpackError(`table size update to ${bytes} of ${bytesMax} bytes`)
      this.#dueBytesMax = -1
      this.#table.setLimit(bytes)
    }
    if (this.#dueBytesMax < 0) return at
    // Peers that never use the table send no update either: haproxy did, and nghttp2 refused it.
    if (this.#table.count > 0) throw new HpackError('no table size update where one is due')
    this.#table.setLimit(this.#dueBytesMax)
    this.#dueBytesMax = -1
    return at
  }

  /** Reads a literal representation (RFC 7541 section 6.2); returns the offset after it. */
  #literal(block: Uint8Array, start: number, end: number, visitor: HeaderVisitor): number {
    const table = this.#table
    const first = block[start] as number
    const isIndexing = first >= INDEXING
    if (!isIndexing && first >= SIZE_UPDATE) throw new HpackError('table size update inside a block')
    const prefixMax = isIndexing ? INDEXING_MAX : PLAIN_MAX
    let index = first & prefixMax
    let at = start + 1
    if (index === prefixMax) {
      index = readInteger(block, at, end, prefixMax)
      at += integerBytes(block, at)
    }
    const entry = index === 0 ? -1 : this.#entry(index)
    const { entries } = table
    const nameBytes = entry < 0 ? 0 : (entries[entry + 1] as number) - (entries[entry] as number)
    // Before any offset is taken: it may move all bytes.
    const roomBytes = nameBytes + Math.ceil((end - at) * HUFFMAN_GROWTH)
    if (table.at + roomBytes > table.bytes.length) table.makeRoom(roomBytes)
    const { bytes } = table
    let nameStart = table.at
    let nameEnd = nameStart
    let watchId: number
    if (entry < 0) {
      at = this.#string(block, at, end, nameStart)
      nameEnd = this.#stringEnd
      watchId = this.#watchId(nameStart, nameEnd)
    } else {
      const from = entries[entry] as number
      watchId = entries[entry + 3] as number
      // Copied for a new entry, which may evict the one that has it.
      if (isIndexing) copy(bytes, from, nameStart, nameBytes)
      else nameStart = from
      nameEnd = nameStart + nameBytes
    }
    const valueStart = isIndexing || entry < 0 ? nameEnd : table.at
    at = this.#string(block, at, end, valueStart)
    const valueEnd = this.#stringEnd
    if (isIndexing) table.add(valueStart, valueEnd, watchId)
    visitor.onHeader(watchId, bytes, nameStart, nameEnd, bytes, valueStart, valueEnd)
    return at
  }

  /** Reads a string (RFC 7541 section 5.2) into the table's bytes at `to`; returns the offset after it. */
  #string(block: Uint8Array, start: number, end: number, to: number): number {
    if (start >= end) throw new HpackError('truncated literal')
    const first = block[start] as number
    let length = first & STRING_MAX
    let at = start + 1
    if (length === STRING_MAX) {
      length = readInteger(block, at, end, STRING_MAX)
      at += integerBytes(block, at)
    }
    const stringEnd = at + length
    if (stringEnd > end) throw new HpackError('truncated string')
    const { bytes } = this.#table
    if (first >= HUFFMAN) {
      this.#stringEnd = decodeHuffman(block, at, stringEnd, bytes, to)
      if (this.#stringEnd < 0) throw new HpackError('malformed Huffman code')
      return stringEnd
    }
    for (let from = at, next = to; from < stringEnd; from += 1, next += 1) bytes[next] = block[from] as number
    this.#stringEnd = to + length
    return stringEnd
  }

  #entry(index: number): number {
    const entry = index === 0 ? -1 : this.#table.offset(index)
    if (entry < 0) throw new HpackError(`no entry at index ${index}`)
    return entry
  }

  #watchId(start: number, end: number): number {
    for (let id = STATUS_ID; id < this.#watched.length; id += 1)
      if (this.#table.equals(this.#watched[id] as Uint8Array, start, end)) return id
    return 0
  }
}

function copy(bytes: Uint8Array, from: number, to: number, length: number): void {
  if (length > SHORT_COPY_BYTES) bytes.copyWithin(to, from, from + length)
  else for (let byte = 0; byte < length; byte += 1) bytes[to + byte] = bytes[from + byte] as number
}

function checkedTableBytes(bytes: number): number {
  if (!Number.isInteger(bytes) || bytes < 0 || bytes > DECODER_TABLE_BYTES_MAX)
    throw new RangeError(`header table: 0 to ${DECODER_TABLE_BYTES_MAX} bytes`)
  return bytes
}
