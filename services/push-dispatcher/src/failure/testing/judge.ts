import type { Finished } from './campaign-rig.ts'

/** What a run may have cost. */
export interface Allowance {
  readonly chunks: number
  readonly chunkSize: number
  /** Chunks that may have been pushed again. */
  readonly repeatableChunks: number
}

/** What a run broke; empty when it kept the promises. */
export function violations({ pushes, results, unknown, dead }: Finished, allowance: Allowance): readonly string[] {
  const { chunks, chunkSize, repeatableChunks } = allowance
  const { enqueued, pushed, repeats, repeatedChunks, foreign } = pushes
  const { accepted, rejected, expired, aborted, pending, strange } = results
  const sum = accepted + rejected + expired + aborted + pending
  const repeatsMax = repeatableChunks * chunkSize
  const checks: readonly (readonly [holds: boolean, text: string])[] = [
    [pushed === enqueued, `${enqueued - pushed} recipients were never pushed`],
    [repeats <= repeatsMax, `${repeats} pushes were repeated, at most ${repeatsMax} may be`],
    [
      repeatedChunks <= repeatableChunks,
      `recipients of ${repeatedChunks} chunks were pushed again, at most ${repeatableChunks} chunks may be`,
    ],
    // APNs ends connections in good order in these runs: that takes the outcome from no push.
    [unknown === 0, `the outcome of ${unknown} pushes was unknown`],
    [foreign === 0, `${foreign} pushes went to another brand's topic`],
    [
      sum === enqueued,
      `accepted ${accepted} + rejected ${rejected} + expired ${expired} + aborted ${aborted} + pending ${pending} is not ${enqueued}`,
    ],
    [pending === 0 && results.chunks === chunks, `${results.chunks} of ${chunks} chunks have a result`],
    [accepted === enqueued, `${accepted} of ${enqueued} recipients were reported accepted`],
    [strange.length === 0, `results that fit no chunk: ${strange.join(', ')}`],
    [dead === 0, `${dead} chunks went to DEAD`],
  ]
  return checks.flatMap(([holds, text]) => (holds ? [] : [text]))
}
