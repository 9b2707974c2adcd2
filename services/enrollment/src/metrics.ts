import type { Metrics } from '@stampede/platform'

/** All metrics of this service. */
export interface EnrollmentMetrics {
  /** Counts enrolments by outcome. */
  countEnrolments(brand: string, outcome: 'created' | 'replayed' | 'refused', count: number): void
}

/** Registers the metrics of this service. */
export function createEnrollmentMetrics(metrics: Metrics): EnrollmentMetrics {
  const enrolments = metrics.counter({
    name: 'enrolments_total',
    help: 'Enrolments by outcome: created, replayed or refused.',
    labels: ['brand', 'outcome'],
  })
  return { countEnrolments: (brand, outcome, count) => enrolments.inc({ brand, outcome }, count) }
}
