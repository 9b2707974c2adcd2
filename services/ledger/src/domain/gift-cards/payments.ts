import { type MoneyEntry, moneyEntry } from '../money.ts'
import type { RecordedLine, SaleRecord } from '../sale.ts'
import { allocate, sum } from '../shares.ts'

/** What a gift card paid of a sale. */
export interface GiftCardPayment {
  readonly cardId: string
  readonly amountMinor: bigint
  /** Of each line, minor units. */
  readonly lineParts: readonly bigint[]
  /** Given back to the card so far. */
  readonly returnedMinor: bigint
  /** What paid for the rest of the sale. */
  readonly tender: string
}

/** The tender that a till does not declare. */
const OTHER_TENDER = 'other'

/** Money of a sale that points have not paid, by line. */
export function moneyOfLines({ lines, pointValueMinor }: Pick<SaleRecord, 'lines' | 'pointValueMinor'>): bigint[] {
  return lines.map(({ amountMinor, paid }) => amountMinor - paid * pointValueMinor)
}

/** Spreads what gift cards pay over the lines, card by card in their order, by the money that is left of each line. */
export function spreadPayments(
  sale: Pick<SaleRecord, 'lines' | 'pointValueMinor'>,
  asked: readonly Pick<GiftCardPayment, 'cardId' | 'amountMinor'>[],
  tender: string,
): readonly GiftCardPayment[] {
  let left: readonly bigint[] = moneyOfLines(sale)
  return asked.map(({ cardId, amountMinor }) => {
    const lineParts = allocate(amountMinor, left)
    left = left.map((money, line) => money - (lineParts[line] ?? 0n))
    return { cardId, amountMinor, lineParts, returnedMinor: 0n, tender: tender === '' ? OTHER_TENDER : tender }
  })
}

/** The entries of a sale that gift cards have paid a part of. */
export function saleEntries(sale: SaleRecord, payments: readonly GiftCardPayment[]): readonly MoneyEntry[] {
  const { lines, pointValueMinor } = sale
  const amount = sum(lines.map(({ amountMinor }) => amountMinor))
  const discount = sum(lines.map(({ discountMinor }) => discountMinor))
  const points = sum(lines.map(({ paid }) => paid)) * pointValueMinor
  const byCards = sum(payments.map(({ amountMinor }) => amountMinor))
  return [
    moneyEntry('shelf', -amount - discount),
    moneyEntry('discount', discount),
    moneyEntry('tender', points, 'points'),
    ...payments.map(({ cardId, amountMinor }) => moneyEntry('giftcard', amountMinor, cardId)),
    moneyEntry('tender', amount - points - byCards, payments[0]?.tender ?? OTHER_TENDER),
  ]
}

/** What a return gives back to each card: its stored part of what is returned of each line. */
export function returnedParts(
  payments: readonly GiftCardPayment[],
  before: readonly RecordedLine[],
  after: readonly RecordedLine[],
): readonly bigint[] {
  return payments.map(({ lineParts }) => shareOfReturned(lineParts, after) - shareOfReturned(lineParts, before))
}

/** The entries of a return: `cards` names the card that each payment goes back to. */
export function returnEntries(
  before: SaleRecord,
  after: SaleRecord,
  back: { readonly payments: readonly GiftCardPayment[]; readonly cards: readonly string[] },
): readonly MoneyEntry[] {
  const returned = (parts: readonly bigint[]) =>
    shareOfReturned(parts, after.lines) - shareOfReturned(parts, before.lines)
  const money = returned(moneyOfLines(after))
  const points = returned(after.lines.map(({ paid }) => paid)) * after.pointValueMinor
  const discount = returned(after.lines.map(({ discountMinor }) => discountMinor))
  const parts = returnedParts(back.payments, before.lines, after.lines)
  return [
    moneyEntry('shelf', money + points + discount),
    moneyEntry('discount', -discount),
    moneyEntry('tender', -points, 'points'),
    ...parts.map((part, index) => moneyEntry('giftcard', -part, back.cards[index] ?? '')),
    moneyEntry('tender', sum(parts) - money, back.payments[0]?.tender ?? OTHER_TENDER),
  ]
}

/** Rounded down over all that is returned of a line, so splits do not matter. */
function shareOfReturned(parts: readonly bigint[], lines: readonly RecordedLine[]): bigint {
  return sum(lines.map(({ returned, quantity }, line) => ((parts[line] ?? 0n) * returned) / quantity))
}
