/** Letters and digits that are not taken for each other. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
/** Characters of a code besides its check character: 65 bits. */
export const CODE_RANDOM_CHARACTERS = 13

const BITS = 5
/** x^5 + x^2 + 1: powers of x go through all 31 elements of the field that are not zero. */
const POLYNOMIAL = 0b100101
const LOOKS_LIKE: Readonly<Record<string, string>> = { O: '0', I: '1', L: '1', U: 'V' }

/** A code from random bytes, at least as many as it has random characters; with a check character at its end. */
export function codeOf(random: Uint8Array): string {
  const characters = [...random.subarray(0, CODE_RANDOM_CHARACTERS)].map((byte) => ALPHABET[byte & 31] ?? '0').join('')
  return characters + checkCharacter(characters)
}

/** A code as it is stored: without spaces and dashes, in capitals, characters that look alike made one. */
export function normalizeCode(text: string): string {
  return [...text.toUpperCase().replace(/[\s-]/g, '')].map((one) => LOOKS_LIKE[one] ?? one).join('')
}

/** Whether a normalized code is one that a single wrong character or two exchanged ones cannot have made of another. */
export function isOwnCode(code: string): boolean {
  if (code.length !== CODE_RANDOM_CHARACTERS + 1) return false
  if ([...code].some((one) => !ALPHABET.includes(one))) return false
  return checkCharacter(code.slice(0, -1)) === code.at(-1)
}

/**
 * Sum over the field of 32 elements, the character at place i times x^(i + 1). Places have different weights, none of
 * them one: so any single wrong character, and any two exchanged ones, the check character included, change it.
 */
function checkCharacter(characters: string): string {
  let sum = 0
  let weight = 1
  for (const character of characters) {
    weight = times(weight, 2)
    sum ^= times(weight, ALPHABET.indexOf(character))
  }
  return ALPHABET[sum] ?? '0'
}

function times(left: number, right: number): number {
  let product = 0
  for (let bit = 0; bit < BITS; bit += 1) if ((right >> bit) & 1) product ^= left << bit
  for (let bit = 2 * BITS - 2; bit >= BITS; bit -= 1) if ((product >> bit) & 1) product ^= POLYNOMIAL << (bit - BITS)
  return product
}
