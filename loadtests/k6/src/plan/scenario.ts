import type { Fixture, ScenarioName } from './fixture.ts'
import { hasCampaign, peakOf, type Shape, shapes } from './shapes.ts'
import { type Sizes, sizesOf } from './sizing.ts'
import { abortingThresholds, type Thresholds, thresholdsOf } from './thresholds.ts'

/** k6 takes whole arrivals: per ten seconds they may be tenths per second. */
const unitSeconds = 10
/** Callers per arrival per second, at the start and at most; a phone that was turned away waits up to half a minute. */
const callersPerRate = { atStart: 0.6, most: 30 } as const
const callersMost = 3_000
/** A campaign may outlast the other flows by so much. */
const campaignExtraSeconds = 1_800
/** What is under way may end in good order. */
const gracefulStop = '60s'
/** Of the search for the breaking point: the first seconds of a cold platform do not count. */
const settleSeconds = 20

/** k6's part of the plan: executors by flow, and what must hold. */
export interface Plan {
  readonly scenarios: Readonly<Record<string, object>>
  readonly thresholds: Readonly<Record<string, readonly (string | object)[]>>
}

/** What k6 needs to know of a run. */
export type PlanInput = Pick<Fixture, 'scenario' | 'scale' | 'durationSeconds' | 'slack' | 'thresholds'>

/** The plan of a run. */
export function planOf(input: PlanInput): Plan {
  const { scenario, durationSeconds } = input
  const sizes = sizesOf(input.scale, hasCampaign(scenario))
  const scenarios = shapes[scenario].map((shape) => [shape.flow, executorOf(shape, sizes, durationSeconds)] as const)
  const thresholds = allThresholds(input)
  return {
    scenarios: Object.fromEntries(scenarios),
    thresholds: endsAtFirstBreak(scenario) ? abortingThresholds(thresholds, settleSeconds) : thresholds,
  }
}

/** Whether a scenario looks for the load at which a threshold breaks. */
export function endsAtFirstBreak(scenario: ScenarioName): boolean {
  return scenario === 'break-point'
}

/** The thresholds of a run, those of the caller in place of ours. */
function allThresholds({ scenario, scale, slack, thresholds }: PlanInput): Thresholds {
  const sizes = sizesOf(scale, hasCampaign(scenario))
  const flows = shapes[scenario].map(({ flow }) => flow)
  const arrivals = flows.reduce((sum, flow) => sum + (flow === 'campaign' ? 1 : peakOf(flow, sizes)), 0)
  return { ...thresholdsOf(flows, slack, arrivals), ...thresholds }
}

function executorOf(shape: Shape, sizes: Sizes, durationSeconds: number): object {
  if (shape.flow === 'campaign') {
    return {
      executor: 'per-vu-iterations',
      exec: 'campaign',
      vus: 1,
      iterations: 1,
      startTime: milliseconds(shape.startAt * durationSeconds),
      maxDuration: milliseconds(durationSeconds + campaignExtraSeconds),
    }
  }
  const peak = peakOf(shape.flow, sizes)
  const arrivals = (share: number): number => Math.round(peak * share * unitSeconds)
  return {
    executor: 'ramping-arrival-rate',
    exec: shape.flow,
    timeUnit: `${unitSeconds}s`,
    startRate: arrivals(shape.from),
    stages: shape.stages.map(({ during, to }) => ({
      target: arrivals(to),
      duration: milliseconds(during * durationSeconds),
    })),
    preAllocatedVUs: Math.ceil(Math.min(callersMost, peak * callersPerRate.atStart + 2)),
    maxVUs: Math.ceil(Math.min(callersMost, peak * callersPerRate.most + 10)),
    gracefulStop,
  }
}

function milliseconds(seconds: number): string {
  return `${Math.round(seconds * 1_000)}ms`
}
