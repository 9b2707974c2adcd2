import { broken, type Finding, holds } from './findings.ts'

/** A row of a till's journal: what was acknowledged to it. */
export interface Acknowledgement {
  /** Idempotency key of the request. */
  readonly key: string
  /** The ledger's id in the answer. */
  readonly id: string
}

/** How often the ledger holds each receipt or return; absent means never. */
export type ReceiptCounts = ReadonlyMap<string, number>

/** Every receipt that a till was told to be posted is in the ledger exactly once, and one key never had two answers. */
export async function checkAcknowledged(
  rows: AsyncIterable<Acknowledgement>,
  countReceipts: (ids: readonly string[]) => Promise<ReceiptCounts>,
): Promise<Finding> {
  const invariant = 'every acknowledged receipt is in the ledger exactly once'
  const idOf = new Map<string, string>()
  for await (const { key, id } of rows) {
    const known = idOf.get(key)
    if (known !== undefined && known !== id)
      return broken(invariant, `${key} was answered with ${known} and with ${id}`)
    idOf.set(key, id)
  }
  const ids = [...idOf.values()]
  if (new Set(ids).size !== ids.length) return broken(invariant, 'one receipt id answered two keys')
  const pageSize = 10_000
  for (let start = 0; start < ids.length; start += pageSize) {
    const page = ids.slice(start, start + pageSize)
    const counts = await countReceipts(page)
    const wrong = page.find((id) => counts.get(id) !== 1)
    if (wrong !== undefined) return broken(invariant, `receipt ${wrong} is there ${counts.get(wrong) ?? 0} times`)
  }
  return holds(invariant, ids.length, 'acknowledged receipts')
}
