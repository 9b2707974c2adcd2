import { HpackError } from './errors.ts'

/** Largest integer that is read; lengths, indices and table sizes are far below. */
export const INTEGER_MAX = 2 ** 28
/** Bytes of the longest integer that is written, with the one that holds the prefix. */
export const INTEGER_BYTES_MAX = 6
/** Bits of the last byte that is read after the prefix: five bytes. */
const SHIFT_MAX = 28

/**
 * The integer whose prefix is full (RFC 7541 section 5.1); `at` is the byte after the prefix. Throws HpackError when
 * it is truncated, longer than five bytes or above 2^28. `integerBytes` tells its length.
 */
export function readInteger(block: Uint8Array, at: number, end: number, prefixMax: number): number {
  let value = prefixMax
  for (let shift = 0, next = at; shift <= SHIFT_MAX; shift += 7, next += 1) {
    if (next >= end) throw new HpackError('truncated integer')
    const byte = block[next] as number
    // A product, as a shift would run into the sign.
    value += (byte & 0x7f) * 2 ** shift
    if (value > INTEGER_MAX) throw new HpackError('integer too large')
    if (byte < 0x80) return value
  }
  throw new HpackError('integer too long')
}

/** Number of bytes after the prefix of an integer that `readInteger` has read. */
export function integerBytes(block: Uint8Array, at: number): number {
  let next = at
  while ((block[next] as number) >= 0x80) next += 1
  return next - at + 1
}

/**
 * Writes an integer from 0 to 2^28 behind `flags`, the bits of its first byte above the prefix; returns the offset
 * after it.
 */
export function writeInteger(out: Uint8Array, at: number, flags: number, prefixMax: number, value: number): number {
  if (value < prefixMax) {
    out[at] = flags | value
    return at + 1
  }
  out[at] = flags | prefixMax
  let rest = value - prefixMax
  let next = at + 1
  while (rest >= 0x80) {
    out[next] = (rest & 0x7f) | 0x80
    rest >>>= 7
    next += 1
  }
  out[next] = rest
  return next + 1
}
