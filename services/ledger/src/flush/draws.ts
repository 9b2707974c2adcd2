import type { Sql } from '@stampede/platform'
import type { Command } from '../domain/decide.ts'
import { drawCurrency } from '../domain/draws/draw.ts'
import { lockAccounts } from '../store/accounts.ts'
import { type AccountKey, accountText, sortAccounts } from '../store/keys.ts'
import { type LoadContext, loadWorkingSet } from './load.ts'
import { perform } from './perform.ts'
import { writeWorkingSet } from './write.ts'

/** What a sale gains or loses for a draw. */
export interface DrawChange {
  readonly receiptId: string
  readonly memberId: string
  /** Not zero. */
  readonly points: bigint
}

/** Members repay with all that they earn: points of a draw are not money. */
const REPAY_BASIS_POINTS = 10_000n

/** Posts what sales gain or lose for a draw, in the caller's transaction. */
export async function postDrawPoints(
  tx: Sql,
  context: LoadContext,
  { brand, drawId }: { readonly brand: string; readonly drawId: string },
  changes: readonly DrawChange[],
): Promise<void> {
  const keyOf = (memberId: string): AccountKey => ({ brand, memberId, currency: drawCurrency(drawId) })
  await post(
    tx,
    context,
    changes.map((change) => ({
      key: keyOf(change.memberId),
      causeId: change.receiptId,
      command: commandOf(change, context),
    })),
  )
}

/** Burns all that members have of a draw, dated at its cut-off, in the caller's transaction. */
export async function burnDrawPoints(
  tx: Sql,
  context: LoadContext,
  { brand, drawId, cutOffMs }: { readonly brand: string; readonly drawId: string; readonly cutOffMs: number },
  memberIds: readonly string[],
): Promise<void> {
  const currency = drawCurrency(drawId)
  const command: Command = { kind: 'burn', atMs: cutOffMs }
  await post(
    tx,
    context,
    memberIds.map((memberId) => ({ key: { brand, memberId, currency }, causeId: '', command })),
  )
}

async function post(
  tx: Sql,
  context: LoadContext,
  commands: readonly { readonly key: AccountKey; readonly causeId: string; readonly command: Command }[],
): Promise<void> {
  if (commands.length === 0) return
  const keys = sortAccounts(commands.map(({ key }) => key))
  await lockAccounts(tx, keys)
  const set = await loadWorkingSet(tx, keys, [], context)
  for (const { key, causeId, command } of commands) {
    const kind = command.kind === 'burn' ? 'expire' : command.kind
    if (command.kind === 'burn' && set.accounts.get(accountText(key))?.account.available === 0n) continue
    perform(set, key, command, { kind, causeId, eventTimeMs: context.nowMs })
  }
  await writeWorkingSet(tx, set)
}

function commandOf({ receiptId, points }: DrawChange, { nowMs }: LoadContext): Command {
  if (points < 0n) {
    const revoke = { kind: 'revoke', revokeId: receiptId, grantId: receiptId, points: -points } as const
    return { ...revoke, occurredAtMs: nowMs, against: 'issued', mayMakeDebt: true, isBurnt: true }
  }
  const earnedTerm = { activatesAtMs: nowMs, expiresAtMs: Number.POSITIVE_INFINITY }
  const lot = { earnedTerm, funder: '', repayBasisPoints: REPAY_BASIS_POINTS, against: 'issued' } as const
  return { kind: 'grant', grantId: receiptId, points, occurredAtMs: nowMs, ...lot }
}
