import { type BrandInfo, checkIdempotencyKey, checkPresent, invalidArgument, type Sql } from '@stampede/platform'
import { PutProgrammeRequest, PutProgrammeResponse } from '@stampede/proto/ledger/v1'
import type { Programme as ProgrammeMessage } from '@stampede/proto/programmes/v1'
import type { LedgerContext } from '../context.ts'
import { answerOnce, type OnceAnswer } from '../store/answer-once.ts'
import { insertProgramme, lockProgramme, readProgrammes } from '../store/programmes.ts'
import { checkProgramme } from './check-programme.ts'
import { checkCardsInForce } from './check-stamp-cards.ts'
import { brandOf, fingerprint } from './checks.ts'

const EFFECTIVE_BEFORE_MS = Date.UTC(3000)
/** Versions of one brand at most: every flush reads those of its brands. */
const VERSIONS_MAX = 1_000

/** Publishes a new version of the brand's programme. */
export async function putProgramme(
  context: LedgerContext,
  request: PutProgrammeRequest,
): Promise<PutProgrammeResponse> {
  const brand = brandOf(context, request.brand)
  checkIdempotencyKey(request.idempotencyKey)
  const programme = checkPresent(request.programme, 'programme')
  checkProgramme(programme)
  const effectiveMs = request.effectiveAt?.getTime() ?? 0
  if (!(effectiveMs >= 0 && effectiveMs < EFFECTIVE_BEFORE_MS)) {
    throw invalidArgument('effective_at', 'must be from 1970 to 2999')
  }
  const bodyHash = fingerprint('programme', PutProgrammeRequest.encode({ ...request, idempotencyKey: '' }).finish())
  const once = { brand: brand.brand, key: request.idempotencyKey, bodyHash, method: 'programme' }
  const response = await answerOnce(context, once, (tx, now) => publish(tx, now, brand, request, programme))
  return PutProgrammeResponse.decode(response)
}

async function publish(
  tx: Sql,
  now: Date,
  { brand }: BrandInfo,
  request: PutProgrammeRequest,
  message: ProgrammeMessage,
): Promise<OnceAnswer> {
  await lockProgramme(tx, brand)
  const versions = await readProgrammes(tx, [brand])
  const version = (versions.at(-1)?.version ?? 0) + 1
  if (version > VERSIONS_MAX) throw invalidArgument('programme', `a brand has at most ${VERSIONS_MAX} versions`)
  await checkCardsInForce(tx, brand, message.stampCards, versions)
  const unasked = version === 1 ? Number.NEGATIVE_INFINITY : now.getTime()
  const effectiveAtMs = request.effectiveAt?.getTime() ?? unasked
  await insertProgramme(tx, { brand, version, effectiveAtMs, message }, now)
  return { response: PutProgrammeResponse.encode({ version }).finish(), causeId: null }
}
