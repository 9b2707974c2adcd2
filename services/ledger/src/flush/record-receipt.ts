import assert from 'node:assert/strict'
import type { BrandInfo } from '@stampede/platform'
import type { Command, Decision } from '../domain/decide.ts'
import { type ReturnCommand, type ReturnOutcome, shareOf } from '../domain/return.ts'
import type { SaleCommand, SaleOutcome, SaleRecord } from '../domain/sale.ts'
import { brandIdText } from '../store/keys.ts'
import { type NaturalKey, naturalText } from '../store/receipts.ts'
import type { Item } from './item.ts'
import { naturalKeyOf } from './load.ts'
import type { EventLine, WorkingSet } from './working-set.ts'

/**
 * Notes the receipt that a sale or return makes; answers the text of its natural key, undefined for a hold's command. What a
 * return gives to gift cards is no money that goes back to the customer.
 */
export function recordReceipt(
  set: WorkingSet,
  item: Item,
  command: Command,
  decision: Decision,
  brand: BrandInfo,
  toGiftCardsMinor: bigint,
): string | undefined {
  const { outcome } = decision
  const natural = naturalKeyOf(item, set.brands)
  if (natural === undefined) return undefined
  if (outcome.kind === 'sale' && command.kind === 'sale') recordSale(set, item, natural, command, outcome, brand)
  if (outcome.kind === 'return' && command.kind === 'return') {
    recordReturn(set, item, natural, command, outcome, { brand, toGiftCardsMinor })
  }
  return naturalText(natural)
}

function recordSale(
  set: WorkingSet,
  item: Item,
  natural: NaturalKey,
  command: SaleCommand,
  outcome: SaleOutcome,
  brand: BrandInfo,
): void {
  set.receipts.push({
    receipt: {
      natural,
      receiptId: command.receiptId,
      memberId: item.memberId,
      occurredAtMs: command.occurredAtMs,
      programmeVersion: command.programme.version,
      pointValueMinor: command.programme.pointValueMinor,
      totalMinor: outcome.totalMinor,
      refundMinor: 0n,
      earned: outcome.earned,
      spent: outcome.spent,
      short: outcome.short,
      holdId: command.holdId === '' ? null : command.holdId,
      originalReceiptId: null,
      contentHash: item.bodyHash,
      idempotencyKey: item.idempotencyKey,
      lotId: outcome.sale.lotId,
      spendDraws: outcome.sale.spendDraws,
      lines: outcome.sale.lines,
      explanations: outcome.explanations,
      discountSteps: command.basket.steps,
      returnLines: [],
    },
    currency: brand.currency,
    event: { storeId: natural.storeId, tillId: natural.tillId, lines: command.basket.lines },
  })
}

function recordReturn(
  set: WorkingSet,
  item: Item,
  natural: NaturalKey,
  command: ReturnCommand,
  outcome: ReturnOutcome,
  { brand, toGiftCardsMinor }: { readonly brand: BrandInfo; readonly toGiftCardsMinor: bigint },
): void {
  const text = brandIdText(item.brand, command.sale.receiptId)
  const sale = set.sales.get(text)
  assert(sale !== undefined, 'a return was decided over a loaded sale')
  set.sales.set(text, { ...sale, record: outcome.sale })
  set.changedSales.add(text)
  set.receipts.push({
    receipt: {
      natural,
      receiptId: command.receiptId,
      memberId: item.memberId,
      occurredAtMs: command.occurredAtMs,
      programmeVersion: sale.programmeVersion,
      pointValueMinor: command.sale.pointValueMinor,
      totalMinor: outcome.refundMinor + outcome.restored * command.sale.pointValueMinor,
      refundMinor: outcome.refundMinor - toGiftCardsMinor,
      earned: outcome.reversed,
      spent: outcome.restored,
      short: 0n,
      holdId: null,
      originalReceiptId: command.sale.receiptId,
      contentHash: item.bodyHash,
      idempotencyKey: item.idempotencyKey,
      lotId: null,
      spendDraws: [],
      lines: [],
      explanations: [],
      discountSteps: [],
      returnLines: command.lines,
    },
    currency: brand.currency,
    event: { storeId: sale.storeId, tillId: sale.tillId, lines: returnedLines(command.sale, outcome.sale) },
  })
}

/** What came back of each line, at the value that the customer gets back. */
function returnedLines(before: SaleRecord, after: SaleRecord): readonly EventLine[] {
  return after.lines.flatMap((line, index) => {
    const earlier = before.lines[index]
    if (earlier === undefined || earlier.returned === line.returned) return []
    const share = shareOf(line, after.pointValueMinor)
    const shareBefore = shareOf(earlier, before.pointValueMinor)
    const points = share.paid - shareBefore.paid
    return [
      {
        sku: line.sku,
        category: line.category,
        quantity: line.returned - earlier.returned,
        amountMinor: share.moneyMinor - shareBefore.moneyMinor + points * after.pointValueMinor,
      },
    ]
  })
}
