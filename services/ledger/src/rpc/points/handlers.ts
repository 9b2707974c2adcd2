import type { Handlers } from '@stampede/platform'
import type { PointsServiceService } from '@stampede/proto/points/v1'
import type { LedgerContext } from '../../context.ts'
import { activatePoints } from './activate-points.ts'
import { adjustPoints } from './adjust-points.ts'
import { correctGrant } from './correct-grant.ts'
import { getLiability } from './get-liability.ts'
import { grantPoints } from './grant-points.ts'
import { listAdjustments } from './list-adjustments.ts'
import { resolveAdjustment } from './resolve-adjustment.ts'
import { transferPoints } from './transfer-points.ts'

/** All methods about points without receipts over one context. */
export function pointsHandlers(context: LedgerContext): Handlers<typeof PointsServiceService> {
  return {
    grantPoints: (request, call) => grantPoints(context, request, call),
    correctGrant: (request, call) => correctGrant(context, request, call),
    activatePoints: (request, call) => activatePoints(context, request, call),
    transferPoints: (request, call) => transferPoints(context, request, call),
    adjustPoints: (request, call) => adjustPoints(context, request, call),
    resolveAdjustment: (request, call) => resolveAdjustment(context, request, call),
    listAdjustments: (request) => listAdjustments(context, request),
    getLiability: (request) => getLiability(context, request),
  }
}
