import {
  type BrandInfo,
  checkBigint,
  checkIdempotencyKey,
  checkInt,
  checkPresent,
  idempotencyConflict,
  invalidArgument,
  type Sql,
} from '@stampede/platform'
import {
  type Programme as ProgrammeMessage,
  PutProgrammeRequest,
  PutProgrammeResponse,
} from '@stampede/proto/ledger/v1'
import type { LedgerContext } from '../context.ts'
import { localDay, monthOf } from '../domain/calendar.ts'
import type { Programme } from '../domain/pricing.ts'
import { insertAnswers, readAnswers } from '../store/idempotency.ts'
import { insertProgramme, lockProgramme, readProgrammes } from '../store/programmes.ts'
import { brandOf, fingerprint } from './checks.ts'

const BASIS_POINTS_MAX = 10_000
const LIVE_DAYS_MAX = 3_650
const POINT_VALUE_MAX = 1_000_000n
const HOLD_SECONDS_MAX = 86_400
const HOLD_SECONDS_DEFAULT = 900
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
  const rules = checkRules(checkPresent(request.programme, 'programme'))
  const effectiveMs = request.effectiveAt?.getTime() ?? 0
  if (!(effectiveMs >= 0 && effectiveMs < EFFECTIVE_BEFORE_MS)) {
    throw invalidArgument('effective_at', 'must be from 1970 to 2999')
  }
  return context.database.transaction((tx) => publish(tx, context.clock.now(), brand, request, rules))
}

async function publish(
  tx: Sql,
  now: Date,
  { brand, timeZone }: BrandInfo,
  request: PutProgrammeRequest,
  rules: Omit<Programme, 'version' | 'effectiveAtMs'>,
): Promise<PutProgrammeResponse> {
  await lockProgramme(tx, brand)
  const { idempotencyKey: key } = request
  const bodyHash = fingerprint('programme', PutProgrammeRequest.encode({ ...request, idempotencyKey: '' }).finish())
  const [answered] = await readAnswers(tx, [{ brand, key }])
  if (answered !== undefined) {
    if (!answered.bodyHash.equals(bodyHash)) throw idempotencyConflict()
    return PutProgrammeResponse.decode(answered.response)
  }
  const version = ((await readProgrammes(tx, [brand])).at(-1)?.programme.version ?? 0) + 1
  if (version > VERSIONS_MAX) throw invalidArgument('programme', `a brand has at most ${VERSIONS_MAX} versions`)
  const unasked = version === 1 ? Number.NEGATIVE_INFINITY : now.getTime()
  const effectiveAtMs = request.effectiveAt?.getTime() ?? unasked
  await insertProgramme(tx, brand, { version, effectiveAtMs, ...rules }, now)
  const response = { version }
  await insertAnswers(tx, [
    {
      brand,
      key,
      bodyHash,
      response: PutProgrammeResponse.encode(response).finish(),
      method: 'programme',
      causeId: null,
      businessMonth: monthOf(localDay(now.getTime(), timeZone)),
      createdAtMs: now.getTime(),
    },
  ])
  return response
}

function checkRules(programme: ProgrammeMessage): Omit<Programme, 'version' | 'effectiveAtMs'> {
  const basisPoints = { min: 0, max: BASIS_POINTS_MAX }
  const holdSeconds = checkInt(programme.holdSeconds, 'programme.hold_seconds', { min: 0, max: HOLD_SECONDS_MAX })
  return {
    earnBasisPoints: BigInt(checkInt(programme.earnBasisPoints, 'programme.earn_basis_points', basisPoints)),
    pointsLiveDays: checkInt(programme.pointsLiveDays, 'programme.points_live_days', { min: 1, max: LIVE_DAYS_MAX }),
    maxPayBasisPoints: BigInt(checkInt(programme.maxPayBasisPoints, 'programme.max_pay_basis_points', basisPoints)),
    pointValueMinor: checkBigint(programme.pointValueMinor, 'programme.point_value_minor', {
      min: 1n,
      max: POINT_VALUE_MAX,
    }),
    holdSeconds: holdSeconds === 0 ? HOLD_SECONDS_DEFAULT : holdSeconds,
  }
}
