import { encodeHuffman, huffmanBytes } from '../huffman.ts'
import { writeInteger } from '../integer.ts'
import { staticEntries } from '../static-table.ts'
import type { Header } from './headers.ts'
import type { Random } from './random.ts'

/** A block and what it means. */
export interface GeneratedBlock {
  readonly block: Uint8Array
  readonly headers: readonly Header[]
}

/** A block of this length gets no further header: with the longest one it still fits a frame. */
const FULL_BLOCK_BYTES = 4_000
/** Longest value; coded it may take four bytes for one. */
const VALUE_BYTES_MAX = 3_000
const names = ['apns-id', 'apns-unique-id', 'x-a', 'x-b', 'x-longer-name-of-a-header', 'z']
/** Static entries whose value is free: not pseudo headers, and not those that HTTP gives a meaning to. */
const staticIndices = staticEntries
  .map(([name], index) => (index > 14 && !/^(content-length|host|transfer-encoding)$/.test(name) ? index : 0))
  .filter((index) => index > 0)

/**
 * Random legal response blocks in every representation, valid as HTTP as well. It models the dynamic table in the
 * plainest way, apart from encoder and decoder: a list of pairs, newest first.
 */
export class BlockGenerator {
  readonly #random: Random
  #table: Header[] = []
  #bytesMax = 4_096
  #limitBytes = 4_096
  /** Smallest maximum since the last block; -1 when it was not lowered below the size in use. */
  #dueBytes = -1
  #out: number[] = []
  #headers: Header[] = []

  constructor(random: Random) {
    this.#random = random
  }

  /** The decoder's maximum changed; the next block announces it where it must. */
  setTableBytesMax(bytes: number): void {
    this.#bytesMax = bytes
    if (bytes < (this.#dueBytes < 0 ? this.#limitBytes : this.#dueBytes)) this.#dueBytes = bytes
  }

  /** The next block of the connection. */
  next(): GeneratedBlock {
    const random = this.#random
    this.#out = []
    this.#headers = []
    if (this.#dueBytes >= 0) this.#resize(random.once(2) ? this.#dueBytes : random.below(this.#dueBytes + 1))
    else if (random.once(12)) this.#resize(random.below(this.#bytesMax + 1))
    this.#dueBytes = -1
    if (random.once(20)) this.#resize(random.below(this.#bytesMax + 1))
    this.#status()
    for (let count = random.below(10); count > 0 && this.#out.length < FULL_BLOCK_BYTES; count -= 1) this.#field()
    return { block: Uint8Array.from(this.#out), headers: this.#headers }
  }

  #status(): void {
    const known = this.#indicesOf((name) => name === ':status')
    if (known.length > 0 && this.#random.once(2)) this.#indexed(this.#random.of(known))
    else if (this.#random.once(3))
      this.#literal(8 + this.#random.below(7), ':status', `${200 + this.#random.below(400)}`)
    else this.#indexed(8 + this.#random.below(7))
  }

  #field(): void {
    const random = this.#random
    const known = this.#indicesOf((name) => name !== ':status')
    if (known.length > 0 && random.once(2)) {
      const index = random.of(known)
      if (random.once(3)) this.#literal(index, this.#table[index - 62]?.[0] ?? '', this.#value())
      else this.#indexed(index)
    } else if (random.once(2)) {
      const index = random.of(staticIndices)
      this.#literal(index, staticEntries[index]?.[0] ?? '', this.#value())
    } else {
      this.#literal(0, random.once(4) ? `x-${random.below(100_000)}` : random.of(names), this.#value())
    }
  }

  #indicesOf(isWanted: (name: string) => boolean): number[] {
    return this.#table.flatMap(([name], age) => (isWanted(name) ? [62 + age] : []))
  }

  #indexed(index: number): void {
    this.#integer(0x80, 0x7f, index)
    const entry = index < 62 ? staticEntries[index] : this.#table[index - 62]
    if (entry === undefined) throw new Error(`no entry ${index}`)
    this.#headers.push(entry)
  }

  #literal(index: number, name: string, value: string): void {
    const kind = this.#random.below(4)
    if (kind < 2) this.#integer(0x40, 0x3f, index)
    else this.#integer(kind === 2 ? 0x00 : 0x10, 0x0f, index)
    if (index === 0) this.#string(name)
    this.#string(value)
    this.#headers.push([name, value])
    if (kind >= 2) return
    this.#table.unshift([name, value])
    this.#evict()
  }

  #resize(bytes: number): void {
    this.#integer(0x20, 0x1f, bytes)
    this.#limitBytes = bytes
    this.#evict()
  }

  #evict(): void {
    const bytes = (): number => this.#table.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0)
    while (bytes() > this.#limitBytes) this.#table.pop()
  }

  #value(): string {
    const random = this.#random
    const length = random.once(30) ? random.below(VALUE_BYTES_MAX) : random.below(60)
    const charset = random.below(3)
    let value = ''
    for (let count = length; count > 0; count -= 1) value += String.fromCharCode(this.#byte(charset))
    return value.replaceAll(/^[ \t]+|[ \t]+$/g, '')
  }

  #byte(charset: number): number {
    if (charset === 0) return '0123456789abcdefABCDEF-'.charCodeAt(this.#random.below(23))
    if (charset === 1) return 0x20 + this.#random.below(95)
    const byte = this.#random.below(224)
    if (byte === 95) return 0x09
    return byte < 95 ? 0x20 + byte : 0x80 + byte - 96
  }

  #string(text: string): void {
    const coded = new Uint8Array(huffmanBytes(text))
    encodeHuffman(text, coded, 0)
    const isCoded = this.#random.once(2)
    const bytes = isCoded ? coded : Buffer.from(text, 'latin1')
    this.#integer(isCoded ? 0x80 : 0, 0x7f, bytes.length)
    for (const byte of bytes) this.#out.push(byte)
  }

  #integer(flags: number, prefixMax: number, value: number): void {
    const bytes = new Uint8Array(8)
    const length = writeInteger(bytes, 0, flags, prefixMax, value)
    for (const byte of bytes.subarray(0, length)) this.#out.push(byte)
  }
}
