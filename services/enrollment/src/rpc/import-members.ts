import { checkBrand, checkList, itemError } from '@stampede/platform'
import type { ImportMemberResult, ImportMembersRequest, ImportMembersResponse } from '@stampede/proto/enrollment/v1'
import type { Context } from '../context.ts'
import { type EnrolmentOutcome, enrollBatch } from '../enroll-batch.ts'

const IMPORT_MAX = 1_000

/** Enrolls up to 1,000 members, each with an outcome of its own. */
export async function importMembers(context: Context, request: ImportMembersRequest): Promise<ImportMembersResponse> {
  const brand = checkBrand(request.brand)
  const items = checkList(request.members, 'members', { min: 1, max: IMPORT_MAX })
  const outcomes = await enrollBatch(context, brand, items)
  return { results: outcomes.map(toResult) }
}

function toResult(outcome: EnrolmentOutcome): ImportMemberResult {
  return outcome.ok
    ? { result: { $case: 'member', value: outcome.member } }
    : { result: { $case: 'error', value: itemError(outcome.error) } }
}
