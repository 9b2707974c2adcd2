import type { Handlers } from '@stampede/platform'
import type { ReferralServiceService } from '@stampede/proto/referrals/v1'
import type { LedgerContext } from '../../context.ts'
import { attributeReferral } from './attribute.ts'
import { getReferralProgramme } from './get-programme.ts'
import { issueReferralCode } from './issue-code.ts'
import { listReferrals } from './list-referrals.ts'
import { putReferralProgramme } from './put-programme.ts'
import { recordFingerprints } from './record-fingerprints.ts'
import { recordReferralTouch } from './record-touch.ts'
import { resolveReferral } from './resolve.ts'

/** All methods about members who bring members over one context. */
export function referralHandlers(context: LedgerContext): Handlers<typeof ReferralServiceService> {
  return {
    putReferralProgramme: (request) => putReferralProgramme(context, request),
    getReferralProgramme: (request) => getReferralProgramme(context, request),
    issueReferralCode: (request) => issueReferralCode(context, request),
    recordReferralTouch: (request) => recordReferralTouch(context, request),
    recordFingerprints: (request) => recordFingerprints(context, request),
    attributeReferral: (request) => attributeReferral(context, request),
    listReferrals: (request) => listReferrals(context, request),
    resolveReferral: (request, call) => resolveReferral(context, request, call),
  }
}
