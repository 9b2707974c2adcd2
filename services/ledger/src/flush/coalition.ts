import { type BrandInfo, invalidArgument } from '@stampede/platform'
import { participantAt, type Settled, settlementBack, settlementOf } from '../domain/coalition.ts'
import type { Command, Decision } from '../domain/decide.ts'
import { type MoneyEntry, moneyPosting } from '../domain/money.ts'
import type { Programme } from '../domain/programme.ts'
import { brandIdText } from '../store/keys.ts'
import type { WorkingSet } from './working-set.ts'

/** Throws for a store that belongs to no brand of the programme's coalition. */
export function checkStore({ coalition }: Programme, storeId: string): void {
  if (coalition === undefined || participantAt(coalition, storeId) !== undefined) return
  throw invalidArgument('store_id', 'is no store of the coalition')
}

/** Books what a receipt's points mean between the participants of a coalition. */
export function settleCoalition(set: WorkingSet, command: Command, decision: Decision, { brand }: BrandInfo): void {
  const { outcome, account } = decision
  if (outcome.kind === 'sale' && command.kind === 'sale') {
    const { programme, storeId, receiptId, occurredAtMs } = command
    const { coalition } = programme
    if (coalition === undefined) return
    const settled = settledAt(programme, storeId, outcome.sale.spendDraws, account.lots)
    post(set, brand, 'coalition', { receiptId, occurredAtMs, entries: settlementOf(coalition, settled) })
  }
  if (outcome.kind === 'return' && command.kind === 'return') {
    const { policies, receiptId, occurredAtMs, sale } = command
    const storeId = set.sales.get(brandIdText(brand, sale.receiptId))?.storeId
    if (policies.coalition === undefined || storeId === undefined) return
    const settled = settledAt(policies, storeId, outcome.restoredDraws, account.lots)
    post(set, brand, 'coalition_back', { receiptId, occurredAtMs, entries: settlementBack(settled) })
  }
}

function settledAt(
  { coalition, pointValueMinor }: Programme,
  storeId: string,
  draws: Settled['draws'],
  lots: Settled['lots'],
): Settled {
  const redeemer = (coalition && participantAt(coalition, storeId)?.participantId) ?? ''
  return { redeemer, draws, lots, pointValueMinor }
}

function post(
  set: WorkingSet,
  brand: string,
  kind: 'coalition' | 'coalition_back',
  {
    receiptId: causeId,
    ...more
  }: { readonly receiptId: string; readonly occurredAtMs: number; readonly entries: readonly MoneyEntry[] },
): void {
  if (more.entries.length === 0) return
  set.moneyPostings.push({ brand, posting: moneyPosting({ kind, causeId, reference: '', ...more }) })
}
