import type { Flow, ScenarioName } from './fixture.ts'
import type { Sizes } from './sizing.ts'

/** A straight line to a share of the peak rate. */
export interface Stage {
  /** Share of the duration. */
  readonly during: number
  /** Share of the peak rate at its end. */
  readonly to: number
}

/** How a flow's arrivals go over the duration; a campaign arrives once. */
export type Shape =
  | { readonly flow: Exclude<Flow, 'campaign'>; readonly from: number; readonly stages: readonly Stage[] }
  | { readonly flow: 'campaign'; readonly startAt: number }

const flat = (flow: Exclude<Flow, 'campaign'>, share: number): Shape => ({
  flow,
  from: share,
  stages: [{ during: 1, to: share }],
})

const rise = (flow: Exclude<Flow, 'campaign'>): Shape => ({ flow, from: 0, stages: [{ during: 1, to: 1 }] })

/** Low, five times as much at once, and low again. */
const burst = (flow: Exclude<Flow, 'campaign'>): Shape => ({
  flow,
  from: 0.2,
  stages: [
    { during: 0.35, to: 0.2 },
    { during: 0.02, to: 1 },
    { during: 0.2, to: 1 },
    { during: 0.02, to: 0.2 },
    { during: 0.41, to: 0.2 },
  ],
})

/** Doors open, lunch, afternoon, after work, doors close. */
const day: Shape = {
  flow: 'till',
  from: 0.1,
  stages: [
    { during: 0.15, to: 0.4 },
    { during: 0.15, to: 0.8 },
    { during: 0.15, to: 0.5 },
    { during: 0.25, to: 1 },
    { during: 0.15, to: 0.9 },
    { during: 0.15, to: 0.1 },
  ],
}

/** Nobody, and at once everybody: what follows a campaign. */
const stampede: Shape = {
  flow: 'phone',
  from: 0.1,
  stages: [
    { during: 0.05, to: 1 },
    { during: 0.85, to: 1 },
    { during: 0.1, to: 0.1 },
  ],
}

const rush: Shape = {
  flow: 'enrol',
  from: 0.1,
  stages: [
    { during: 0.2, to: 1 },
    { during: 0.6, to: 1 },
    { during: 0.2, to: 0.1 },
  ],
}

/** The flows of each scenario. */
export const shapes: Readonly<Record<ScenarioName, readonly Shape[]>> = {
  'till-day': [day],
  'enrol-rush': [rush],
  'pull-back': [stampede],
  campaign: [{ flow: 'campaign', startAt: 0 }],
  'black-friday': [flat('till', 1), rush, stampede, { flow: 'campaign', startAt: 0.05 }],
  soak: [flat('till', 0.5), flat('phone', 0.5), flat('enrol', 0.5)],
  spike: [burst('till'), burst('phone')],
  'break-point': [rise('till'), rise('phone'), rise('enrol')],
}

/** Whether a scenario sends a campaign. */
export function hasCampaign(scenario: ScenarioName): boolean {
  return shapes[scenario].some(({ flow }) => flow === 'campaign')
}

/** Peak arrivals per second of a flow. */
export function peakOf(flow: Exclude<Flow, 'campaign'>, sizes: Sizes): number {
  const peaks = { till: sizes.receiptsPerSecond, phone: sizes.visitsPerSecond, enrol: sizes.enrolsPerSecond }
  return peaks[flow]
}
