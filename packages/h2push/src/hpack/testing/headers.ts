import type { HeaderVisitor, HpackDecoder } from '../decoder.ts'
import { type HpackEncoder, headerBytesMax, type IndexMode } from '../encoder.ts'

/** A header: name, value; latin1. */
export type Header = readonly [name: string, value: string]

/** Collects headers as text, with their watch ids. */
class Collector implements HeaderVisitor {
  readonly headers: Header[] = []
  readonly watchIds: number[] = []

  onHeader(
    watchId: number,
    name: Uint8Array,
    nameStart: number,
    nameEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    this.watchIds.push(watchId)
    this.headers.push([latin1(name, nameStart, nameEnd), latin1(value, valueStart, valueEnd)])
  }
}

/** Headers of a block; throws HpackError. */
export function decodeBlock(decoder: HpackDecoder, block: Uint8Array): readonly Header[] {
  return collect(decoder, block).headers
}

/** Watch ids of the headers of a block; throws HpackError. */
export function decodeWatchIds(decoder: HpackDecoder, block: Uint8Array): readonly number[] {
  return collect(decoder, block).watchIds
}

/** A block of these headers, each in its own mode or in the common one. */
export function encodeBlock(
  encoder: HpackEncoder,
  headers: readonly (readonly [name: string, value: string, mode?: IndexMode])[],
  commonMode: IndexMode = 'index',
): Uint8Array {
  const out = new Uint8Array(headers.reduce((sum, [name, value]) => sum + headerBytesMax(name, value), 16))
  let at = encoder.begin(out, 0)
  for (const [name, value, mode = commonMode] of headers) at = encoder.header(out, at, name, value, mode)
  return out.subarray(0, at)
}

/** Bytes of hexadecimal text; white space is skipped. */
export function hex(text: string): Uint8Array {
  return Buffer.from(text.replaceAll(/\s/g, ''), 'hex')
}

function collect(decoder: HpackDecoder, block: Uint8Array): Collector {
  const collector = new Collector()
  // Not at the start of its buffer, as in life.
  const padded = new Uint8Array(block.length + 5).fill(0xff)
  padded.set(block, 3)
  decoder.decode(padded, 3, 3 + block.length, collector)
  return collector
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.subarray(start, end)).toString('latin1')
}
