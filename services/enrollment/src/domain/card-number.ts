import { createPermutation } from './permutation.ts'

/** Digits of a card number, the check digit included. */
export const CARD_NUMBER_DIGITS = 16
/** Longest issuer prefix: what is left must stay too sparse to guess in. */
export const CARD_PREFIX_DIGITS_MAX = 6

const digitsPattern = /^\d{16}$/

/** Makes the card numbers of one brand. */
export interface CardNumbers {
  /** How many numbers there are; counters run from 0 to one less. */
  readonly capacity: number
  /** The numbers of the n-th cards: prefix, permuted counter, Luhn digit. */
  numbers(counters: readonly number[]): readonly string[]
}

/** Card numbers of a brand: the counter goes through a permutation keyed by the brand's own key. */
export function createCardNumbers(key: Uint8Array, prefix: string): CardNumbers {
  if (!/^\d{1,6}$/.test(prefix)) throw new RangeError(`a card prefix has 1 to ${CARD_PREFIX_DIGITS_MAX} digits`)
  const bodyDigits = CARD_NUMBER_DIGITS - 1 - prefix.length
  const permutation = createPermutation(key, 10 ** bodyDigits)
  return {
    capacity: permutation.size,
    numbers: (counters) =>
      permutation.applyAll(counters).map((value) => {
        const payload = prefix + String(value).padStart(bodyDigits, '0')
        return payload + luhnDigit(payload)
      }),
  }
}

/** Check digit of Luhn (ISO/IEC 7812-1) for the digits before it. */
export function luhnDigit(payload: string): string {
  let sum = 0
  for (let index = 0; index < payload.length; index++) {
    const digit = payload.charCodeAt(payload.length - 1 - index) - 48
    const doubled = index % 2 === 0 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return String((10 - (sum % 10)) % 10)
}

/** Whether a text has the shape of a card number: 16 digits, the last of them right. */
export function isCardNumber(text: string): boolean {
  return digitsPattern.test(text) && luhnDigit(text.slice(0, -1)) === text.slice(-1)
}
