import { checkIdempotencyKey, checkList, checkText, checkUuid } from '@stampede/platform'
import { RecordFingerprintsRequest, RecordFingerprintsResponse } from '@stampede/proto/referrals/v1'
import type { LedgerContext } from '../../context.ts'
import { fingerprintKinds } from '../../domain/referrals/guards.ts'
import { answerOnce } from '../../store/answer-once.ts'
import { insertFingerprints } from '../../store/referrals/people.ts'
import { brandOf, checkOneOf, fingerprint } from '../checks.ts'

const FINGERPRINTS_MAX = 20
const HASH_CHARACTERS = { min: 32, max: 128, pattern: /^[A-Za-z0-9_=-]+$/ }

/** Notes what tells that two members are one person. */
export async function recordFingerprints(
  context: LedgerContext,
  request: RecordFingerprintsRequest,
): Promise<RecordFingerprintsResponse> {
  const { brand } = brandOf(context, request.brand)
  const key = checkIdempotencyKey(request.idempotencyKey)
  const memberId = checkUuid(request.memberId, 'member_id')
  const found = checkList(request.fingerprints, 'fingerprints', { min: 1, max: FINGERPRINTS_MAX })
  for (const [index, { kind, hash }] of found.entries()) {
    checkOneOf(kind, `fingerprints[${index}].kind`, fingerprintKinds)
    checkText(hash, `fingerprints[${index}].hash`, HASH_CHARACTERS)
  }
  const encoded = RecordFingerprintsRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const once = { brand, key, bodyHash: fingerprint('fingerprints', encoded), method: 'fingerprints' }
  const response = await answerOnce(context, once, async (tx, now) => {
    await insertFingerprints(tx, brand, memberId, found, now)
    return { response: RecordFingerprintsResponse.encode({}).finish(), causeId: null }
  })
  return RecordFingerprintsResponse.decode(response)
}
