import assert from 'node:assert/strict'
import type { Account } from '../domain/account.ts'
import { type Command, type Decision, decide } from '../domain/decide.ts'
import { type Programme, programmeAt } from '../domain/programme.ts'
import { noProgramme, refusalError } from '../refusals.ts'
import { type AccountKey, accountText } from '../store/keys.ts'
import type { Cause, WorkingAccount, WorkingSet } from './working-set.ts'

/** What an item came to. */
export interface Applied {
  readonly response: Uint8Array
  /** Receipt, return, hold or grant that it made. */
  readonly causeId: string | null
  /** Text of the natural key of the receipt that it made. */
  readonly natural?: string
}

/** A decided command and the account it is about. */
export interface Performed {
  readonly working: WorkingAccount
  readonly decision: Decision
  readonly before: Account
}

/** Decides a command over an account of the set; throws what the caller sees when it is refused. Changes nothing yet. */
export function decideOver(set: WorkingSet, key: AccountKey, command: Command): Performed {
  const working = workingAccount(set, key)
  const decision = decide(working.account, command, set)
  if (!decision.ok) throw refusalError(decision)
  return { working, decision, before: working.account }
}

/** Takes a decision over into the account in work. */
export function absorb({ working, decision }: Pick<Performed, 'working' | 'decision'>, cause: Cause): void {
  working.account = decision.account
  working.postings.push(...decision.postings)
  for (const lotId of decision.touchedLots) working.touchedLots.add(lotId)
  for (const holdId of decision.touchedHolds) working.touchedHolds.add(holdId)
  working.cause = cause
}

/** Decides a command and takes it over. */
export function perform(
  set: WorkingSet,
  key: AccountKey,
  command: Command,
  cause: { readonly kind: string; readonly causeId: string; readonly eventTimeMs: number },
): Performed {
  const performed = decideOver(set, key, command)
  const deltaAvailable = performed.decision.account.available - performed.before.available
  absorb(performed, { ...cause, deltaAvailable })
  return performed
}

/** An account of the set. */
export function workingAccount(set: WorkingSet, key: AccountKey): WorkingAccount {
  const working = set.accounts.get(accountText(key))
  assert(working !== undefined, 'the accounts of every item were loaded')
  return working
}

/** The brand's programme at an instant; throws FAILED_PRECONDITION when there is none. */
export function programmeOf(set: WorkingSet, brand: string, atMs: number): Programme {
  const programme = programmeAt(set.programmes.get(brand) ?? [], atMs)
  if (programme === undefined) throw noProgramme()
  return programme
}

/** Posts what time has done to an account. */
export function applySettle(set: WorkingSet, working: WorkingAccount): void {
  const decision = decide(working.account, { kind: 'settle' }, set)
  assert(decision.ok, 'time is never refused')
  const last = decision.postings.at(-1)
  if (last === undefined) return
  absorb(
    { working, decision },
    {
      kind: last.kind,
      causeId: last.causeId,
      deltaAvailable: decision.account.available - working.account.available,
      eventTimeMs: last.occurredAtMs,
    },
  )
}
