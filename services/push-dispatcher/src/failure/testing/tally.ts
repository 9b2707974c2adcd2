import { PushOutcome, type PushResult } from '@stampede/proto/push/v1'
import type { ApnsRow } from '@stampede/sandbox'
import { type Campaign, chunkIds, recipientsOf } from './campaign.ts'

/** What the sandbox's own log says of the campaigns. */
export interface PushTally {
  readonly enqueued: number
  /** Recipients with at least one accepted push. */
  readonly pushed: number
  /** Accepted pushes beyond the first of each recipient. */
  readonly repeats: number
  /** Chunks with a recipient that was pushed more than once. */
  readonly repeatedChunks: number
  /** Pushes whose token, topic and certificate are not of one brand. */
  readonly foreign: number
  /** Pushes that were refused, by reason. */
  readonly refused: Readonly<Record<string, number>>
}

/** What the results on PUSH_RESULT say of the campaigns, in recipients. */
export interface ResultTally {
  readonly accepted: number
  readonly rejected: number
  readonly expired: number
  readonly aborted: number
  /** Of chunks without a result that wait on PUSH_BULK. */
  readonly pending: number
  /** Chunks with a result. */
  readonly chunks: number
  /** What does not fit: a chunk that nobody enqueued, another brand's, another number of recipients. */
  readonly strange: readonly string[]
}

/** Counts the rows of the sandbox's log. */
export async function tallyPushes(rows: AsyncIterable<ApnsRow>, campaigns: readonly Campaign[]): Promise<PushTally> {
  const counts = campaigns.map((campaign) => ({ campaign, times: new Uint16Array(campaign.recipients) }))
  const refused: Record<string, number> = {}
  let foreign = 0
  for await (const { token, topic, certUid, status, reason = '' } of rows) {
    const found = counts.find(({ campaign }) => campaign.series.numberOf(token) !== undefined)
    if (found?.campaign.topic !== topic || certUid !== topic) foreign += 1
    const number = found?.campaign.series.numberOf(token) ?? 0
    if (status !== 200) refused[reason] = (refused[reason] ?? 0) + 1
    else if (found !== undefined) found.times[number] = (found.times[number] ?? 0) + 1
  }
  return { ...sumOf(counts), foreign, refused }
}

function sumOf(counts: readonly { readonly campaign: Campaign; readonly times: Uint16Array }[]) {
  let [enqueued, pushed, repeats] = [0, 0, 0]
  const repeated = new Set<string>()
  for (const { campaign, times } of counts) {
    enqueued += times.length
    for (const [number, pushes] of times.entries()) {
      if (pushes > 0) pushed += 1
      if (pushes < 2) continue
      repeats += pushes - 1
      repeated.add(`${campaign.campaignId}/${Math.floor(number / campaign.chunkSize)}`)
    }
  }
  return { enqueued, pushed, repeats, repeatedChunks: repeated.size }
}

/** Counts the results, each chunk once, and the chunks that still wait. */
export function tallyResults(
  results: readonly PushResult[],
  waiting: ReadonlySet<string>,
  campaigns: readonly Campaign[],
): ResultTally {
  const byChunk = new Map(results.map((result) => [result.chunkId, result]))
  const sums = new Map<PushOutcome, number>()
  const strange: string[] = []
  let pending = 0
  let chunks = 0
  for (const campaign of campaigns) {
    for (const [index, chunkId] of chunkIds(campaign).entries()) {
      const result = byChunk.get(chunkId)
      byChunk.delete(chunkId)
      if (result === undefined) {
        if (waiting.has(chunkId)) pending += recipientsOf(campaign, index)
        continue
      }
      chunks += 1
      if (!isOf(result, campaign, index)) strange.push(chunkId)
      for (const outcome of result.outcomes) sums.set(outcome, (sums.get(outcome) ?? 0) + 1)
    }
  }
  strange.push(...byChunk.keys())
  const sum = (...outcomes: readonly PushOutcome[]) =>
    outcomes.reduce<number>((all, one) => all + (sums.get(one) ?? 0), 0)
  return {
    accepted: sum(PushOutcome.PUSH_OUTCOME_ACCEPTED),
    rejected: sum(PushOutcome.PUSH_OUTCOME_REJECTED, PushOutcome.PUSH_OUTCOME_DEAD_TOKEN),
    expired: sum(PushOutcome.PUSH_OUTCOME_EXPIRED),
    aborted: sum(PushOutcome.PUSH_OUTCOME_ABORTED),
    pending,
    chunks,
    strange,
  }
}

/** Whether a result is of that chunk, recipient by recipient. */
function isOf(result: PushResult, campaign: Campaign, index: number): boolean {
  const first = BigInt(index * campaign.chunkSize)
  return (
    result.brand === campaign.brand &&
    result.campaignId === campaign.campaignId &&
    result.outcomes.length === recipientsOf(campaign, index) &&
    result.passNo.length === result.outcomes.length &&
    result.passNo.every((passNo, at) => passNo === first + BigInt(at))
  )
}
