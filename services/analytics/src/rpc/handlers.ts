import type { Binding } from '@stampede/platform'
import { bind } from '@stampede/platform'
import { AnalyticsServiceService } from '@stampede/proto/analytics/v1'
import type { AnalyticsContext } from '../context.ts'
import { getAudience } from './get-audience.ts'
import { getDailySeries } from './get-daily-series.ts'
import { getIngestState } from './get-ingest-state.ts'
import { getKpis } from './get-kpis.ts'
import { getMemberScore } from './get-member-score.ts'
import { getPushReport } from './get-push-report.ts'
import { getSegments } from './get-segments.ts'
import { takeSnapshot } from './take-snapshot.ts'

/** All methods of the service. */
export function analyticsBinding(context: AnalyticsContext): Binding {
  return bind(AnalyticsServiceService, {
    takeSnapshot: takeSnapshot(context),
    getSegments: getSegments(context),
    getMemberScore: getMemberScore(context),
    getKpis: getKpis(context),
    getDailySeries: getDailySeries(context),
    getPushReport: getPushReport(context),
    getAudience: getAudience(context),
    getIngestState: getIngestState(context),
  })
}
