import { checkBrand } from '@stampede/platform'
import type { EnrollRequest, EnrollResponse } from '@stampede/proto/enrollment/v1'
import type { Context } from '../context.ts'
import { enrollBatch } from '../enroll-batch.ts'

/** Enrolls one member: a batch of one. */
export async function enroll(context: Context, request: EnrollRequest): Promise<EnrollResponse> {
  const [outcome] = await enrollBatch(context, checkBrand(request.brand), [request])
  if (outcome === undefined) throw new Error('an enrolment without outcome')
  if (!outcome.ok) throw outcome.error
  return { member: outcome.member }
}
