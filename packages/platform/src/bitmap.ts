/** Pass numbers in one row of an audience: rows begin at the multiples of this. */
export const passesPerRow = 8_192

/** Bytes of such a row. */
export const bitmapBytes = passesPerRow / 8

/** Whether bit `index` is set; least significant bit first, as PostgreSQL numbers them. Beyond the end: no. */
export function hasBit(bitmap: Uint8Array, index: number): boolean {
  return (((bitmap[index >> 3] ?? 0) >> (index & 7)) & 1) === 1
}

/** A copy with the bits at `indexes` set. */
export function withBits(bitmap: Uint8Array, indexes: Iterable<number>): Buffer {
  const copy = Buffer.from(bitmap)
  for (const index of indexes) copy[index >> 3] = (copy[index >> 3] ?? 0) | (1 << (index & 7))
  return copy
}

/** A copy with the bits at `indexes` cleared. */
export function withoutBits(bitmap: Uint8Array, indexes: Iterable<number>): Buffer {
  const copy = Buffer.from(bitmap)
  for (const index of indexes) copy[index >> 3] = (copy[index >> 3] ?? 0) & ~(1 << (index & 7))
  return copy
}

/** How many bits are set. */
export function countBits(bitmap: Uint8Array): number {
  let count = 0
  for (const byte of bitmap) {
    for (let rest = byte; rest !== 0; rest &= rest - 1) count += 1
  }
  return count
}
