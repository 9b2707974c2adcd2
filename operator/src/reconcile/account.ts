import type { AppStore } from '../apple/client.ts'
import type { Context } from '../context.ts'
import { type AppleAccount, appleAccounts } from '../crd/apple-account.ts'
import { type ConditionChange, mergeConditions, parseKey, type Reconciled } from '../kernel/index.ts'
import { condition, failureOf } from './part.ts'

/** A good key is tried this often, another one this often. */
const GOOD_AGAIN_MS = 30 * 60_000
const BAD_AGAIN_MS = 60_000
/** Asked for to see whether the key is accepted; nobody can own it. */
const NO_PASS_TYPE = 'pass.stampede.dev.none'

/** Says in the status of an AppleAccount whether its key works. */
export async function reconcileAccount(context: Context, key: string): Promise<Reconciled> {
  const account = await context.store.get(appleAccounts, parseKey(key))
  if (account === undefined) {
    context.appStores.forget(key)
    return {}
  }
  const ready = await judge(context, account)
  const generation = account.metadata.generation ?? 0
  const conditions = mergeConditions(account.status?.conditions ?? [], [ready], generation, context.clock.now())
  await context.status.write(appleAccounts, account, { observedGeneration: generation, conditions })
  return { requeueAfterMs: ready.status === 'True' ? GOOD_AGAIN_MS : BAD_AGAIN_MS }
}

async function judge(context: Context, account: AppleAccount): Promise<ConditionChange> {
  const found = await context.appStores.ofAccount(account)
  if (!found.ok) return condition('Ready', 'False', found.finding.reason, found.finding.message)
  return tryKey(found.appStore)
}

async function tryKey(appStore: AppStore): Promise<ConditionChange> {
  try {
    await appStore.findPassType(NO_PASS_TYPE)
    return condition('Ready', 'True', 'KeyAccepted', 'App Store Connect accepts the key')
  } catch (error) {
    const { reason, message, temporary } = failureOf(error)
    return condition('Ready', temporary ? 'Unknown' : 'False', reason, message)
  }
}
