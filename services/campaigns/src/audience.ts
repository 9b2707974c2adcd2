import { countBits, failedPrecondition, hasBit, passesPerRow, type Sql, withoutBits } from '@stampede/platform'
import type { Context } from './context.ts'
import type { ChunkRow } from './store/chunks.ts'
import { readUnreachable } from './store/reach.ts'

/** A frozen audience. */
export interface FrozenAudience {
  readonly chunks: readonly ChunkRow[]
  /** Passes in the chunks. */
  readonly audience: number
  /** Passes of the segments that were held back. */
  readonly excluded: number
}

/** Rows of an audience: 10,000 rows are 80 million passes. */
const rowsMax = 10_000

/** Asks analytics for the passes of the segments and takes out who must not be pushed. Throws FAILED_PRECONDITION above 10,000 rows. */
export async function freezeAudience(
  { readAudience }: Context,
  sql: Sql,
  brand: string,
  segments: readonly string[],
): Promise<FrozenAudience> {
  const byBase = Map.groupBy(await readUnreachable(sql, brand), (no) => no - (no % BigInt(passesPerRow)))
  const chunks: ChunkRow[] = []
  let [audience, excluded] = [0, 0]
  for await (const { base, bitmap } of readAudience(brand, segments)) {
    if (chunks.length >= rowsMax) throw failedPrecondition(`an audience has at most ${rowsMax} rows`)
    const offsets = (byBase.get(base) ?? []).map((no) => Number(no - base)).filter((offset) => hasBit(bitmap, offset))
    excluded += offsets.length
    const left = withoutBits(bitmap, offsets)
    const passes = countBits(left)
    if (passes === 0) continue
    audience += passes
    chunks.push({ index: chunks.length, base, bitmap: left, passes })
  }
  return { chunks, audience, excluded }
}
