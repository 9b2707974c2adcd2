import type { DonationProgramme as ProgrammeMessage } from '@stampede/proto/donations/v1'
import type { DonationProgramme } from './domain/donations/donation.ts'

const UNDO_SECONDS_DEFAULT = 86_400

/** A checked message as the domain knows it. */
export function donationProgrammeOf(message: ProgrammeMessage, version: number): DonationProgramme {
  const { share } = message
  return {
    version,
    fundIds: new Set(message.fundIds),
    ratePoints: message.ratePoints,
    rateMinor: message.rateMinor,
    leastPoints: message.leastPoints,
    matchBasisPoints: BigInt(message.matchBasisPoints),
    undoSeconds: message.undoSeconds ?? UNDO_SECONDS_DEFAULT,
    share: share === undefined ? undefined : { fundId: share.fundId, basisPoints: BigInt(share.basisPoints) },
  }
}
