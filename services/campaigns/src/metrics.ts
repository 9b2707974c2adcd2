import type { Metrics } from '@stampede/platform'

/** All metrics of this service. */
export interface CampaignsMetrics {
  countReleased(brand: string, chunks: number): void
  countOutcomes(brand: string, outcome: 'accepted' | 'failed' | 'aborted' | 'duplicate', pushes: number): void
  countFetched(brand: string, passes: number): void
}

/** Registers the metrics of this service. */
export function createCampaignsMetrics(metrics: Metrics): CampaignsMetrics {
  const released = metrics.counter({
    name: 'chunks_released_total',
    help: 'Audience rows released.',
    labels: ['brand'],
  })
  const outcomes = metrics.counter({
    name: 'pushes_total',
    help: 'Outcomes of campaign pushes.',
    labels: ['brand', 'outcome'],
  })
  const fetched = metrics.counter({ name: 'passes_fetched_total', help: 'Campaign passes fetched.', labels: ['brand'] })
  return {
    countReleased: (brand, chunks) => released.inc({ brand }, chunks),
    countOutcomes: (brand, outcome, pushes) => outcomes.inc({ brand, outcome }, pushes),
    countFetched: (brand, passes) => fetched.inc({ brand }, passes),
  }
}
