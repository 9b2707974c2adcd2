import type { Flow } from './fixture.ts'

/** Kinds of calls, as the tag `kind` of the metrics names them. */
export const kinds = {
  till: ['earn', 'earn-http', 'quote', 'hold', 'pay', 'cancel', 'commit', 'return', 'repeat', 'balance'],
  phone: ['list', 'pass', 'visit'],
  enrol: ['enrol', 'card', 'download'],
  campaign: ['create', 'start'],
} as const satisfies Readonly<Record<Flow, readonly string[]>>

/** A kind of call. */
export type Kind = (typeof kinds)[Flow][number]

/** Most milliseconds, repeats and waiting included, for 95 and 99 of a hundred calls. */
const limitsMs: Readonly<Record<Kind, readonly [p95: number, p99: number]>> = {
  earn: [150, 400],
  'earn-http': [150, 400],
  quote: [100, 300],
  hold: [150, 400],
  pay: [150, 400],
  cancel: [150, 400],
  commit: [150, 400],
  return: [150, 400],
  repeat: [150, 400],
  balance: [100, 300],
  list: [200, 600],
  pass: [250, 800],
  // A phone that is turned away comes again when it is told to: 5 to 30 s later.
  visit: [2_000, 32_000],
  enrol: [200, 600],
  // From the enrolment to a card that can be downloaded.
  card: [1_500, 4_000],
  download: [250, 800],
  create: [500, 1_000],
  // Freezes the audience.
  start: [5_000, 10_000],
}

/** Thresholds by metric, as k6 writes them. */
export type Thresholds = Readonly<Record<string, readonly string[]>>

/** Share of calls of a kind that may fail after all repeats. */
const failedShareMax = 0.001
/** Share of arrivals that may find no free caller: with more the load is not what was asked for. */
const droppedShareMax = 0.01

/** Thresholds of the flows, whose peaks add up to so many arrivals; latency limits are multiplied by `slack`. */
export function thresholdsOf(flows: readonly Flow[], slack: number, arrivalsPerSecond: number): Thresholds {
  const byKind = flows
    .flatMap((flow) => kinds[flow])
    .flatMap((kind): readonly (readonly [string, readonly string[]])[] => {
      const [p95, p99] = limitsMs[kind]
      return [
        [`call_duration{kind:${kind}}`, [`p(95)<${p95 * slack}`, `p(99)<${p99 * slack}`]],
        [`call_failed{kind:${kind}}`, [`rate<${failedShareMax}`]],
      ]
    })
  return {
    ...Object.fromEntries(byKind),
    dropped_iterations: [`rate<${arrivalsPerSecond * droppedShareMax}`],
    // Answers that contradict another answer or the request.
    wrong_answers: ['count<1'],
    ...(flows.includes('campaign') && { campaign_fetched_within_60s: ['value>0.95'] }),
  }
}

/**
 * The same for the search for the load that is too much: all but p95 end the run once they are crossed, after the first
 * seconds, in which a cold platform is slow.
 */
export function abortingThresholds(thresholds: Thresholds, delaySeconds: number) {
  const delayAbortEval = `${delaySeconds}s`
  return Object.fromEntries(
    Object.entries(thresholds).map(([metric, expressions]) => [
      metric,
      expressions.map((threshold) => ({ threshold, abortOnFail: !threshold.startsWith('p(95)'), delayAbortEval })),
    ]),
  )
}

/** Most milliseconds for 99 of a hundred calls of a kind, before slack. */
export function p99LimitMs(kind: Kind): number {
  return limitsMs[kind][1]
}
