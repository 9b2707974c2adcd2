import { checkIdempotencyKey, checkPresent, invalidArgument } from '@stampede/platform'
import { PutDonationProgrammeRequest, PutDonationProgrammeResponse } from '@stampede/proto/donations/v1'
import type { LedgerContext } from '../../context.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { insertDonationProgramme, readDonationProgramme } from '../../store/donations/programmes.ts'
import { brandOf, fingerprint } from '../checks.ts'
import { checkDonationProgramme } from './check-programme.ts'

const VERSIONS_MAX = 1_000

/** Publishes a version of the donation programme. */
export async function putDonationProgramme(
  context: LedgerContext,
  request: PutDonationProgrammeRequest,
): Promise<PutDonationProgrammeResponse> {
  const { brand } = brandOf(context, request.brand)
  const key = checkIdempotencyKey(request.idempotencyKey)
  const message = checkPresent(request.programme, 'programme')
  checkDonationProgramme(message)
  const encoded = PutDonationProgrammeRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('donation.programme', encoded), method: 'donation.programme' }
  const response = await answerOnce(context, once, async (tx, now) => {
    await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('ledger.donation-programme.' || $1, 0))`, [brand])
    const version = ((await readDonationProgramme(tx, brand))?.version ?? 0) + 1
    if (version > VERSIONS_MAX) throw invalidArgument('programme', `has at most ${VERSIONS_MAX} versions`)
    await insertDonationProgramme(tx, brand, { version, message, publishedAtMs: now.getTime() })
    return { response: PutDonationProgrammeResponse.encode({ version }).finish(), causeId: null }
  })
  return PutDonationProgrammeResponse.decode(response)
}
