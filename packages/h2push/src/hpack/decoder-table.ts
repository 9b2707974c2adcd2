import { ENTRY_OVERHEAD_BYTES, FIRST_DYNAMIC_INDEX, staticEntries } from './static-table.ts'

/** Id of the name `:status` in every decoder. */
export const STATUS_ID = 1

/** Numbers per entry. */
const STRIDE = 4
/** Bytes of all entries before they grow: a table of 4,096 bytes is moved to the front once per 300 headers. */
const ARENA_BYTES = 16_384

/** Names and values of the static table, one after another. */
const staticBytes = Buffer.from(staticEntries.flat().join(''), 'latin1')
const staticNumbers = staticEntries.flatMap(([name, value], index) => {
  const start = staticEntries.slice(0, index).flat().join('').length
  return [start, start + name.length, start + name.length + value.length, name === ':status' ? STATUS_ID : 0]
})

/**
 * The static and the dynamic table of a decoder (RFC 7541 section 2.3) without an object per entry: the bytes lie in
 * one arena, first those of the static table, then those of the dynamic one, oldest first; an entry is four numbers.
 * Whoever adds an entry writes its bytes at `at` first. When the arena is full the live bytes move to the front.
 */
export class DecoderTable {
  /** Name and value of each entry, adjacent. Replaced when it grows. */
  bytes: Uint8Array = new Uint8Array(ARENA_BYTES)
  /** By slot: start of the name, start of the value, end of the value, id of the name. Replaced when it grows. */
  entries = new Int32Array(0)
  /** Where the bytes of the next entry go. */
  at = staticBytes.length
  #limitBytes = 0
  #usedBytes = 0
  #count = 0
  /** Entries ever added; the ring position of the next one. */
  #added = 0
  #ringMask = 0

  constructor(limitBytesMax: number) {
    this.bytes.set(staticBytes)
    this.reserve(limitBytesMax)
    this.entries.set(staticNumbers)
  }

  /** Number of dynamic entries. */
  get count(): number {
    return this.#count
  }

  /** Size that the encoder chose, in bytes. */
  get limitBytes(): number {
    return this.#limitBytes
  }

  /** Offset in `entries` of the entry at an index from 1; -1 when there is none. */
  offset(index: number): number {
    if (index < FIRST_DYNAMIC_INDEX) return index * STRIDE
    const age = index - FIRST_DYNAMIC_INDEX
    if (age >= this.#count) return -1
    return (FIRST_DYNAMIC_INDEX + ((this.#added - 1 - age) & this.#ringMask)) * STRIDE
  }

  /** Adds the entry whose bytes begin at `at`, evicting old ones; one larger than the table leaves it empty. */
  add(valueStart: number, end: number, watchId: number): void {
    const start = this.at
    const entryBytes = end - start + ENTRY_OVERHEAD_BYTES
    this.#evictTo(this.#limitBytes - entryBytes)
    if (entryBytes > this.#limitBytes) return
    const offset = (FIRST_DYNAMIC_INDEX + (this.#added & this.#ringMask)) * STRIDE
    this.entries[offset] = start
    this.entries[offset + 1] = valueStart
    this.entries[offset + 2] = end
    this.entries[offset + 3] = watchId
    this.#added = (this.#added + 1) | 0
    this.#count += 1
    this.#usedBytes += entryBytes
    this.at = end
  }

  /** The encoder chose a size. */
  setLimit(bytes: number): void {
    this.#limitBytes = bytes
    this.#evictTo(bytes)
  }

  /** Makes room for the entries of a table of that size. */
  reserve(limitBytesMax: number): void {
    let slots = 1
    while (slots * ENTRY_OVERHEAD_BYTES < limitBytesMax) slots *= 2
    if (slots <= this.#ringMask) return
    const grown = new Int32Array((FIRST_DYNAMIC_INDEX + slots) * STRIDE)
    grown.set(this.entries.subarray(0, FIRST_DYNAMIC_INDEX * STRIDE))
    for (let age = this.#count - 1; age >= 0; age -= 1) {
      const from = this.offset(FIRST_DYNAMIC_INDEX + age)
      const to = FIRST_DYNAMIC_INDEX + this.#count - 1 - age
      grown.set(this.entries.subarray(from, from + STRIDE), to * STRIDE)
    }
    this.entries = grown
    this.#added = this.#count
    this.#ringMask = slots - 1
  }

  /** Makes room for `bytes` at `at`, which may move, like the bytes of all entries. */
  makeRoom(bytes: number): void {
    const oldest = this.#count === 0 ? this.at : (this.entries[this.#offsetOfOldest()] as number)
    const shift = oldest - staticBytes.length
    const neededBytes = this.at - shift + bytes
    // Twice of it, so that the next move is as far away as this one was long.
    if (neededBytes * 2 > this.bytes.length) {
      const grown = new Uint8Array(neededBytes * 2)
      grown.set(staticBytes)
      grown.set(this.bytes.subarray(oldest, this.at), staticBytes.length)
      this.bytes = grown
    } else {
      this.bytes.copyWithin(staticBytes.length, oldest, this.at)
    }
    this.at -= shift
    for (let age = 0; age < this.#count; age += 1) {
      const offset = this.offset(FIRST_DYNAMIC_INDEX + age)
      for (let part = 0; part < 3; part += 1)
        this.entries[offset + part] = (this.entries[offset + part] as number) - shift
    }
  }

  /** Gives an id to all entries whose name has these bytes. */
  watch(name: Uint8Array, id: number): void {
    for (let index = 1; index < FIRST_DYNAMIC_INDEX + this.#count; index += 1) {
      const offset = this.offset(index)
      const start = this.entries[offset] as number
      if (this.equals(name, start, this.entries[offset + 1] as number)) this.entries[offset + 3] = id
    }
  }

  /** Whether the arena holds these bytes from `start` to `end`. */
  equals(name: Uint8Array, start: number, end: number): boolean {
    if (name.length !== end - start) return false
    for (let index = 0; index < name.length; index += 1) if (this.bytes[start + index] !== name[index]) return false
    return true
  }

  #evictTo(bytes: number): void {
    while (this.#count > 0 && this.#usedBytes > bytes) {
      const offset = this.#offsetOfOldest()
      const entryBytes = (this.entries[offset + 2] as number) - (this.entries[offset] as number) + ENTRY_OVERHEAD_BYTES
      this.#usedBytes -= entryBytes
      this.#count -= 1
    }
  }

  #offsetOfOldest(): number {
    return this.offset(FIRST_DYNAMIC_INDEX - 1 + this.#count)
  }
}
