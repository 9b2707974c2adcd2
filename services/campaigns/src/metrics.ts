import type { Metrics } from '@stampede/platform'
import type { BrandLoad } from './store/chunks.ts'

/** All metrics of this service. */
export interface CampaignsMetrics {
  countReleased(brand: string, chunks: number): void
  countOutcomes(brand: string, outcome: 'accepted' | 'failed' | 'aborted' | 'duplicate', pushes: number): void
  countFetched(brand: string, passes: number): void
  /** Says how full the window of the pacing is; a brand that is not named any more has nothing on the way. */
  setPacing(windowPhones: number, loads: readonly BrandLoad[]): void
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
  const window = metrics.gauge({
    name: 'pacing_window_phones',
    help: 'Phones that may be on their way at a time: 60 s of what pass-render answers; each replica says the same',
  })
  const outstanding = metrics.gauge({
    name: 'outstanding_phones',
    help: 'Phones on their way: pushed or about to be, and not come yet; each replica says the same',
    labels: ['brand'],
  })
  const waiting = metrics.gauge({
    name: 'waiting_passes',
    help: 'Passes of campaigns that are not released yet; each replica says the same',
    labels: ['brand'],
  })
  return {
    countReleased: (brand, chunks) => released.inc({ brand }, chunks),
    countOutcomes: (brand, outcome, pushes) => outcomes.inc({ brand, outcome }, pushes),
    countFetched: (brand, passes) => fetched.inc({ brand }, passes),
    setPacing: (windowPhones, loads) => {
      window.set(windowPhones)
      outstanding.reset()
      waiting.reset()
      for (const load of loads) {
        outstanding.set({ brand: load.brand }, load.outstanding)
        waiting.set({ brand: load.brand }, load.waiting)
      }
    },
  }
}
