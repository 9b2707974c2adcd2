import { type MoneyPosting, moneyEntry, moneyPosting } from '../money.ts'
import { type GiftCard, settleCard } from './card.ts'

/** A card after what time has done to it by `nowMs`, and the postings of that. */
export function settledCard(
  card: GiftCard,
  nowMs: number,
): { readonly card: GiftCard; readonly postings: readonly MoneyPosting[] } {
  const { card: settled, breakages } = settleCard(card, nowMs)
  const postings = breakages.map(({ atMs, amountMinor }) =>
    moneyPosting({
      kind: 'gift_expire',
      causeId: card.cardId,
      reference: '',
      occurredAtMs: atMs,
      entries: [moneyEntry('giftcard', amountMinor, card.cardId), moneyEntry('revenue', -amountMinor)],
    }),
  )
  return { card: settled, postings }
}

/** Money that a tender paid for a card. */
export function soldPosting(
  kind: 'gift_sale' | 'gift_reload',
  cardId: string,
  paid: {
    readonly amountMinor: bigint
    readonly tender: string
    readonly reference: string
    readonly occurredAtMs: number
  },
): MoneyPosting {
  const { amountMinor, tender, reference, occurredAtMs } = paid
  const entries = [moneyEntry('tender', amountMinor, tender), moneyEntry('giftcard', -amountMinor, cardId)]
  return moneyPosting({ kind, causeId: cardId, reference, occurredAtMs, entries })
}

/** Money that a hold took off a card outside of a receipt, or gave back to it. */
export function heldPosting(
  kind: 'gift_use' | 'gift_return',
  cardId: string,
  held: {
    readonly amountMinor: bigint
    readonly holdId: string
    readonly reference: string
    readonly occurredAtMs: number
  },
): MoneyPosting {
  const { holdId: causeId, reference, occurredAtMs } = held
  const amountMinor = kind === 'gift_use' ? held.amountMinor : -held.amountMinor
  const entries = [moneyEntry('shelf', -amountMinor), moneyEntry('giftcard', amountMinor, cardId)]
  return moneyPosting({ kind, causeId, reference, occurredAtMs, entries })
}

/** Money that went from a blocked card to the one that took its place. */
export function replacedPosting(card: GiftCard, replacement: GiftCard, occurredAtMs: number): MoneyPosting {
  const { cardId: causeId, balanceMinor } = card
  const entries = [
    moneyEntry('giftcard', balanceMinor, causeId),
    moneyEntry('giftcard', -balanceMinor, replacement.cardId),
  ]
  return moneyPosting({ kind: 'gift_replace', causeId, reference: '', occurredAtMs, entries })
}

/** A card that was paid back to the tenders that bought it. */
export function refundedPosting(
  card: GiftCard,
  tenders: readonly { readonly tender: string; readonly amountMinor: bigint }[],
  occurredAtMs: number,
): MoneyPosting {
  const entries = [
    moneyEntry('giftcard', card.balanceMinor, card.cardId),
    ...tenders.map(({ tender, amountMinor }) => moneyEntry('tender', -amountMinor, tender)),
  ]
  return moneyPosting({ kind: 'gift_refund', causeId: card.cardId, reference: '', occurredAtMs, entries })
}
