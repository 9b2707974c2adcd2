/** Pass numbers in one row of a frozen audience. */
export const BITMAP_PASSES = 8_192
/** Bytes of such a row. */
export const BITMAP_BYTES = BITMAP_PASSES / 8

/** Whether bit i is set, least significant first. */
export function hasBit(bitmap: Uint8Array, index: number): boolean {
  return (((bitmap[index >> 3] ?? 0) >> (index & 7)) & 1) === 1
}

/** A copy without the bits given. */
export function withoutBits(bitmap: Uint8Array, indexes: readonly number[]): Buffer {
  const copy = Buffer.from(bitmap)
  for (const index of indexes) copy[index >> 3] = (copy[index >> 3] ?? 0) & ~(1 << (index & 7))
  return copy
}
