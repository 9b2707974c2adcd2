import { notFound } from '@stampede/platform'
import type { GetProgrammeRequest, GetProgrammeResponse } from '@stampede/proto/ledger/v1'
import type { LedgerContext } from '../context.ts'
import { programmeAt } from '../domain/programme.ts'
import { readProgrammes } from '../store/programmes.ts'
import { brandOf } from './checks.ts'

/** The version of the brand's programme that is in force now. */
export async function getProgramme(
  context: LedgerContext,
  request: GetProgrammeRequest,
): Promise<GetProgrammeResponse> {
  const { brand } = brandOf(context, request.brand)
  const programme = programmeAt(await readProgrammes(context.database, [brand]), context.clock.nowMs())
  if (programme === undefined) throw notFound()
  return { version: programme.version, programme: programme.message }
}
