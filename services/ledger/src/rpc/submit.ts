import assert from 'node:assert/strict'
import type { LedgerContext } from '../context.ts'
import type { Item } from '../flush/item.ts'

/** Posts one command; answers its encoded response or throws its error. */
export async function submitOne(context: LedgerContext, item: Item): Promise<Uint8Array> {
  const [result] = await context.committer.submit([item])
  assert(result !== undefined, 'every item has a result')
  if (!result.ok) throw result.error
  return result.response
}
