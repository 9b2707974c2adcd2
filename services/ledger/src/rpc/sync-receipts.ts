import { gather } from '@stampede/platform'
import type { SyncReceiptsRequest, SyncReceiptsResponse } from '@stampede/proto/ledger/v1'
import type { LedgerContext } from '../context.ts'
import { postItems } from './post-items.ts'

/** Requests that go into one transaction at most. */
const GATHERED_MAX = 500
/** Longest that a gathered batch may take. */
const DEADLINE_MS = 30_000

/** Sales and returns over one stream: all that wait go into one transaction; answers come in their order. */
export async function* syncReceipts(
  context: LedgerContext,
  requests: AsyncIterable<SyncReceiptsRequest>,
): AsyncIterable<SyncReceiptsResponse> {
  for await (const batch of gather(requests, GATHERED_MAX)) {
    const deadline = new Date(context.clock.nowMs() + DEADLINE_MS)
    const asked = batch.map(({ request: { brand, item } }) => ({ brand, item, field: 'item' }))
    const results = await postItems(context, asked, deadline)
    for (const [place, { index }] of batch.entries()) yield { index, result: results[place] }
  }
}
