import type { Handlers } from '@stampede/platform'
import type { DonationServiceService } from '@stampede/proto/donations/v1'
import type { LedgerContext } from '../../context.ts'
import { donatePoints } from './donate-points.ts'
import { getFundReport } from './get-fund-report.ts'
import { getDonationProgramme } from './get-programme.ts'
import { listDonations } from './list-donations.ts'
import { putDonationProgramme } from './put-programme.ts'
import { undoDonation } from './undo-donation.ts'

/** All methods about donations over one context. */
export function donationHandlers(context: LedgerContext): Handlers<typeof DonationServiceService> {
  return {
    putDonationProgramme: (request) => putDonationProgramme(context, request),
    getDonationProgramme: (request) => getDonationProgramme(context, request),
    donatePoints: (request, call) => donatePoints(context, request, call),
    undoDonation: (request, call) => undoDonation(context, request, call),
    listDonations: (request) => listDonations(context, request),
    getFundReport: (request) => getFundReport(context, request),
  }
}
