import { failedPrecondition, invalidArgument, notFound, StampedeError } from '@stampede/platform'
import type { Refusal } from './domain/refusal.ts'

/** A refused command as the error that its caller sees. */
export function refusalError(refusal: Refusal): StampedeError {
  switch (refusal.reason) {
    case 'insufficient_points':
      return new StampedeError('INSUFFICIENT_POINTS', `only ${refusal.available} points are available`, {
        field: 'points',
      })
    case 'owes_points':
      return failedPrecondition(`the member owes ${refusal.debt} points`)
    case 'nothing_pending':
      return failedPrecondition('none of these points is pending')
    case 'hold_not_found':
      return notFound()
    case 'hold_expired':
      return new StampedeError('HOLD_EXPIRED', undefined, { field: 'hold_id' })
    case 'hold_resolved':
      return new StampedeError('HOLD_RESOLVED', undefined, { field: 'hold_id' })
    case 'points_exceed_hold':
      return invalidArgument('points', `the hold has only ${refusal.points}`)
    case 'points_exceed_receipt':
      return invalidArgument('points_to_pay', `points may pay at most ${refusal.limit} of this receipt`)
    case 'points_not_payable':
      return invalidArgument('points_to_pay', `must be in whole steps and not too few; at most ${refusal.limit} pay`)
    case 'line_not_found':
      return invalidArgument('lines.line_index', `the sale has no line ${refusal.lineIndex}`)
    case 'return_exceeds_sale':
      return new StampedeError('RETURN_EXCEEDS_SALE', `line ${refusal.lineIndex}: more is returned than was sold`, {
        field: 'lines.quantity',
      })
  }
}

/** A brand that has no programme, or none yet at the receipt's time. */
export function noProgramme(): StampedeError {
  return failedPrecondition('the brand has no programme for that time')
}
