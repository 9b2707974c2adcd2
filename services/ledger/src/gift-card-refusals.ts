import { failedPrecondition, invalidArgument, notFound, StampedeError } from '@stampede/platform'
import type { GiftCardRefusal } from './domain/gift-cards/card.ts'

/** What a card refuses as the error that its caller sees; `field` is where the card was named. */
export function giftCardError({ reason }: GiftCardRefusal, field: string): StampedeError {
  switch (reason) {
    case 'invalid':
      return giftCardInvalid(field)
    case 'expired':
      return new StampedeError('FAILED_PRECONDITION', 'the gift card has expired', { field })
    case 'insufficient':
      return new StampedeError('GIFT_CARD_INSUFFICIENT', undefined, { field })
    case 'not_reloadable':
      return new StampedeError('FAILED_PRECONDITION', 'a gift card does not take so much', { field: 'amount_minor' })
    case 'used':
      return new StampedeError('FAILED_PRECONDITION', 'the gift card was used, or is held for a basket', { field })
    case 'not_blocked':
      return failedPrecondition('only a card that was sold and is blocked can be replaced, once')
    case 'not_blockable':
      return failedPrecondition('the card cannot be used anyway')
    case 'too_many_holds':
      return new StampedeError('RESOURCE_EXHAUSTED', 'too many holds of the gift card are open', { field })
    case 'hold_not_found':
      return notFound()
    case 'hold_expired':
      return new StampedeError('HOLD_EXPIRED', undefined, { field: 'hold_id' })
    case 'hold_resolved':
      return new StampedeError('HOLD_RESOLVED', undefined, { field: 'hold_id' })
    case 'exceeds_hold':
      return invalidArgument(amountBeside(field), 'is more than the hold')
    case 'exceeds_payment':
      return new StampedeError('RETURN_EXCEEDS_SALE', 'more is given back than was taken', { field: 'amount_minor' })
  }
}

/** One answer to a code that does not exist, is not sold yet or is blocked, and to a wrong PIN. */
export function giftCardInvalid(field: string): StampedeError {
  return new StampedeError('GIFT_CARD_INVALID', undefined, { field })
}

/** Too many of those. */
export function tooManyMisses(field: string): StampedeError {
  return new StampedeError('RESOURCE_EXHAUSTED', 'too many wrong codes, try again in a minute', { field })
}

/** The amount of a payment is named beside its code. */
function amountBeside(field: string): string {
  return field.endsWith('code') ? `${field.slice(0, -'code'.length)}amount_minor` : 'amount_minor'
}
