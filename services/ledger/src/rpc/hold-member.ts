import { notFound } from '@stampede/platform'
import type { LedgerContext } from '../context.ts'
import { readHoldMember } from '../store/holds.ts'

/** The member of a hold; NOT_FOUND when the brand has no such hold. */
export async function holdMember(context: LedgerContext, brand: string, holdId: string): Promise<string> {
  const memberId = await readHoldMember(context.database, brand, holdId)
  if (memberId === undefined) throw notFound()
  return memberId
}
