import { type Cipheriv, createCipheriv } from 'node:crypto'

/** Largest domain of a permutation: all arithmetic stays exact in doubles. */
export const PERMUTATION_SIZE_MAX = 2 ** 52

const KEY_BYTES = 32
const BLOCK_BYTES = 16
const VALUE_BYTES = 6
const VALUE_OFFSET = 8
/** Luby and Rackoff need four; small domains leak with few rounds, and ten still cost only microseconds. */
const ROUNDS = 10
/** Each walk step stays outside with a chance under 3/4, so that 4,096 of them mean a defect, not bad luck. */
const WALK_STEPS_MAX = 4_096

/** A secret one-to-one mapping of 0..size-1 onto itself. */
export interface Permutation {
  /** How many numbers it maps. */
  readonly size: number
  /** Where each number goes; without the key, neighbours tell nothing about each other. */
  applyAll(values: readonly number[]): readonly number[]
}

/**
 * A keyed permutation: a balanced Feistel network over the next even power of two, with AES-256 as round
 * function, walked in a cycle until the result falls into the domain again.
 */
export function createPermutation(key: Uint8Array, size: number): Permutation {
  if (!Number.isSafeInteger(size) || size < 1 || size > PERMUTATION_SIZE_MAX)
    throw new RangeError(`a permutation's size must be from 1 to ${PERMUTATION_SIZE_MAX}`)
  if (key.length !== KEY_BYTES) throw new RangeError(`a permutation's key must have ${KEY_BYTES} bytes`)
  const halfBits = Math.max(1, Math.ceil(Math.log2(size) / 2))
  const half = 2 ** halfBits
  // ECB of single, distinct blocks is the bare block cipher, which is what a round function wants.
  const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false)
  const isOutside = (value: number): boolean => value >= size

  return {
    size,
    applyAll: (values) => {
      for (const value of values)
        if (!Number.isInteger(value) || value < 0 || isOutside(value)) throw new RangeError('a number is out of domain')
      const walked = feistel(cipher, values, half)
      for (let step = 1; walked.some(isOutside); step++) {
        if (step === WALK_STEPS_MAX) throw new Error('a number did not come back into its domain')
        const again = feistel(cipher, walked.filter(isOutside), half)
        let next = 0
        walked.forEach((value, index) => {
          if (isOutside(value)) walked[index] = again[next++] ?? value
        })
      }
      return walked
    },
  }
}

/** All values go through a round together: a call of the cipher costs far more than a block. */
function feistel(cipher: Cipheriv, values: readonly number[], half: number): number[] {
  let left = values.map((value) => Math.floor(value / half))
  let right = values.map((value) => value % half)
  const blocks = Buffer.alloc(values.length * BLOCK_BYTES)
  for (let round = 0; round < ROUNDS; round++) {
    right.forEach((value, index) => {
      blocks.writeUInt8(round, index * BLOCK_BYTES)
      blocks.writeUIntBE(value, index * BLOCK_BYTES + VALUE_OFFSET, VALUE_BYTES)
    })
    const mask = cipher.update(blocks)
    const mixed = left.map((value, index) => (value + mask.readUIntBE(index * BLOCK_BYTES, VALUE_BYTES)) % half)
    left = right
    right = mixed
  }
  return right.map((value, index) => (left[index] ?? 0) * half + value)
}
