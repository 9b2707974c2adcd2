import type { Metrics } from '@stampede/platform'

/** All metrics of this service. */
export interface GeoMetrics {
  /** Counts visits of members to stores. */
  countVisits(brand: string, count: number): void
  /** Counts lists of places that changed and were published. */
  countPublished(brand: string, count: number): void
}

/** Registers the metrics of this service. */
export function createGeoMetrics(metrics: Metrics): GeoMetrics {
  const visits = metrics.counter({ name: 'visits_total', help: 'Visits of members to stores.', labels: ['brand'] })
  const published = metrics.counter({
    name: 'relevance_changes_total',
    help: 'Lists of places that changed and went to passes.',
    labels: ['brand'],
  })
  return {
    countVisits: (brand, count) => visits.inc({ brand }, count),
    countPublished: (brand, count) => published.inc({ brand }, count),
  }
}
