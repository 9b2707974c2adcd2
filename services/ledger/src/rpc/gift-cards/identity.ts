import { randomBytes, randomInt } from 'node:crypto'
import { uuidv7 } from '@stampede/platform'
import { CODE_RANDOM_CHARACTERS, codeOf } from '../../domain/coupons/codes.ts'
import type { GiftCard } from '../../domain/gift-cards/card.ts'
import type { GiftCardRules } from '../../domain/gift-cards/rules.ts'

const PIN_DIGITS = 6

/** Id, code and PIN of a new card; all but the id from the system's random numbers. */
export function newIdentity({ hasPin }: GiftCardRules): Pick<GiftCard, 'cardId' | 'code' | 'pin'> {
  const pin = hasPin ? String(randomInt(10 ** PIN_DIGITS)).padStart(PIN_DIGITS, '0') : ''
  return { cardId: uuidv7(), code: codeOf(randomBytes(CODE_RANDOM_CHARACTERS)), pin }
}
