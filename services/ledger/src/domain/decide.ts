import type { Account } from './account.ts'
import { draftAccount, openDraft } from './draft.ts'
import {
  type ActivateCommand,
  applyActivate,
  applyBurn,
  applyGrant,
  applyReceive,
  applyRevoke,
  applySend,
  type BurnCommand,
  type GrantCommand,
  type ReceiveCommand,
  type RevokeCommand,
  type SendCommand,
  type SendOutcome,
} from './grant.ts'
import {
  applyCancel,
  applyCommit,
  applyHold,
  type CancelCommand,
  type CommitCommand,
  type HoldCommand,
} from './hold.ts'
import type { Posting } from './posting.ts'
import type { Refusal } from './refusal.ts'
import { applyReturn, type ReturnCommand, type ReturnOutcome } from './return.ts'
import { applyPay, type PayCommand, type PayOutcome } from './rewards/order.ts'
import { applySale, type SaleCommand, type SaleOutcome } from './sale.ts'
import { settle } from './settle.ts'
import { applyStamp, type StampCommand, type StampOutcome } from './stamps/stamp.ts'

/** All that can be asked of an account; `settle` posts only what time has done. */
export type Command =
  | SaleCommand
  | ReturnCommand
  | HoldCommand
  | CommitCommand
  | CancelCommand
  | GrantCommand
  | RevokeCommand
  | BurnCommand
  | ActivateCommand
  | SendCommand
  | ReceiveCommand
  | StampCommand
  | PayCommand
  | { readonly kind: 'settle' }

/** What a decision may know besides the account. */
export interface DecideContext {
  /** The service's clock, Unix milliseconds: holds and spending go by it, never by the till's. */
  readonly nowMs: number
  /** Gives ids of transactions and lots. */
  readonly newId: () => string
}

/** What a command came to, besides its postings. */
export type Outcome =
  | SaleOutcome
  | ReturnOutcome
  | SendOutcome
  | StampOutcome
  | PayOutcome
  | { readonly kind: Exclude<Command['kind'], 'sale' | 'return' | 'send' | 'stamp' | 'pay'> }

/** A command that is done, on paper: the account after it and what must be written. */
export interface Decision {
  readonly ok: true
  readonly account: Account
  readonly postings: readonly Posting[]
  /** Lots that are new or changed. */
  readonly touchedLots: ReadonlySet<string>
  /** Holds that are new or changed. */
  readonly touchedHolds: ReadonlySet<string>
  readonly outcome: Outcome
}

/** Decides one command over an account. The account given is not changed. */
export function decide(account: Account, command: Command, context: DecideContext): Decision | Refusal {
  const draft = openDraft(account, context.newId)
  settle(draft, context.nowMs)
  const outcome = apply(draft, command, context.nowMs)
  if ('ok' in outcome) return outcome
  const { postings, touchedLots, touchedHolds } = draft
  return { ok: true, account: draftAccount(draft), postings, touchedLots, touchedHolds, outcome }
}

function apply(draft: ReturnType<typeof openDraft>, command: Command, nowMs: number): Decision['outcome'] | Refusal {
  switch (command.kind) {
    case 'sale':
      return applySale(draft, command, nowMs)
    case 'return':
      return applyReturn(draft, command, nowMs)
    case 'hold':
      return applyHold(draft, command, nowMs) ?? { kind: 'hold' }
    case 'commit':
      return applyCommit(draft, command, nowMs) ?? { kind: 'commit' }
    case 'cancel':
      return applyCancel(draft, command, nowMs) ?? { kind: 'cancel' }
    case 'grant':
      applyGrant(draft, command, nowMs)
      return { kind: 'grant' }
    case 'burn':
      applyBurn(draft, command)
      return { kind: 'burn' }
    case 'revoke':
      return applyRevoke(draft, command) ?? { kind: 'revoke' }
    case 'activate':
      return applyActivate(draft, command, nowMs) ?? { kind: 'activate' }
    case 'send':
      return applySend(draft, command, nowMs)
    case 'receive':
      applyReceive(draft, command, nowMs)
      return { kind: 'receive' }
    case 'stamp':
      return applyStamp(draft, command, nowMs)
    case 'pay':
      return applyPay(draft, command, nowMs)
    case 'settle':
      return { kind: 'settle' }
  }
}
