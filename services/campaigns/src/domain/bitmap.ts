/** Pass numbers per row of an audience. */
export const passesPerRow = 8_192

/** Whether bit `index` is set; least significant bit first. */
export function hasBit(bitmap: Uint8Array, index: number): boolean {
  return ((bitmap[index >> 3] ?? 0) >> (index & 7)) % 2 === 1
}

/** A copy with the bits at `indexes` set. */
export function withBits(bitmap: Uint8Array, indexes: Iterable<number>): Uint8Array {
  const copy = Uint8Array.from(bitmap)
  for (const index of indexes) copy[index >> 3] = (copy[index >> 3] ?? 0) | (1 << (index & 7))
  return copy
}

/** A copy with the bits at `indexes` cleared. */
export function withoutBits(bitmap: Uint8Array, indexes: Iterable<number>): Uint8Array {
  const copy = Uint8Array.from(bitmap)
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
