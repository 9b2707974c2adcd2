import { type BrandInfo, idempotencyConflict, notFound, StampedeError } from '@stampede/platform'
import { naturalText } from '../store/receipts.ts'
import { applyAdjust, applyResolve } from './adjustments.ts'
import { applyCommand } from './commands.ts'
import { applyDonate, applyUndo } from './donations.ts'
import { applyCorrect, applyGrant, repeatedGrant } from './grants.ts'
import type { Item, ItemResult } from './item.ts'
import { naturalKeyOf } from './load.ts'
import type { Applied } from './perform.ts'
import { applyCancelOrder, applyOrder } from './rewards.ts'
import { applyTier } from './set-tier.ts'
import { applyTransfer } from './transfers.ts'
import { answerText, type WorkingSet } from './working-set.ts'

/** Decides one item over the working set; a refused one leaves no trace in it. */
export function applyItem(set: WorkingSet, item: Item): ItemResult {
  try {
    return { ok: true, response: repeated(set, item) ?? applyNew(set, item) }
  } catch (error) {
    if (error instanceof StampedeError) return { ok: false, error }
    throw error
  }
}

/** The stored answer of a request that was done before; undefined for a new one. */
function repeated(set: WorkingSet, item: Item): Uint8Array | undefined {
  const answered = set.answers.get(answerText(item.brand, item.idempotencyKey))
  if (answered !== undefined) {
    if (!answered.bodyHash.equals(item.bodyHash) || answered.response === null) throw idempotencyConflict()
    return answered.response
  }
  const granted = repeatedGrant(set, item)
  if (granted !== undefined) {
    remember(set, item, granted)
    return granted.response
  }
  const natural = naturalKeyOf(item, set.brands)
  const known = natural === undefined ? undefined : set.naturals.get(naturalText(natural))
  if (known === undefined) return undefined
  if (!known.bodyHash.equals(item.bodyHash) || known.response === null) {
    const field = item.request.kind === 'return' ? 'return_id' : 'number'
    throw new StampedeError('ALREADY_EXISTS', 'a receipt with these numbers was posted before', { field })
  }
  remember(set, item, { response: known.response, causeId: known.causeId })
  return known.response
}

function applyNew(set: WorkingSet, item: Item): Uint8Array {
  const brand = set.brands.get(item.brand)
  if (brand === undefined) throw notFound()
  const applied = dispatch(set, item, brand)
  const { natural } = applied
  if (natural !== undefined) {
    set.naturals.set(natural, { bodyHash: item.bodyHash, response: applied.response, causeId: applied.causeId })
  }
  remember(set, item, applied)
  return applied.response
}

function dispatch(set: WorkingSet, item: Item, brand: BrandInfo): Applied {
  const { request } = item
  switch (request.kind) {
    case 'grant':
      return applyGrant(set, item, request, brand)
    case 'correct':
      return applyCorrect(set, item, request, brand)
    case 'transfer':
      return applyTransfer(set, item, request)
    case 'donate':
      return applyDonate(set, item, request)
    case 'undo':
      return applyUndo(set, item, request)
    case 'adjust':
      return applyAdjust(set, item, request, brand)
    case 'tier':
      return applyTier(set, item, request, brand)
    case 'order':
      return applyOrder(set, item, request, brand)
    case 'cancel_order':
      return applyCancelOrder(set, item, request, brand)
    case 'resolve':
      return applyResolve(set, item, request, brand)
    default:
      return applyCommand(set, item, request, brand)
  }
}

function remember(set: WorkingSet, item: Item, { response, causeId }: Applied): void {
  const { brand, idempotencyKey: key, bodyHash, request } = item
  set.answers.set(answerText(brand, key), { bodyHash, response, causeId })
  set.newAnswers.push({
    brand,
    key,
    bodyHash,
    response,
    method: request.kind,
    causeId,
    createdAtMs: set.nowMs,
  })
}
