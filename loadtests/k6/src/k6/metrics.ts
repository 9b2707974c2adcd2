import { Counter, Gauge, Rate, Trend } from 'k6/metrics'
import type { Kind } from '../plan/thresholds.ts'

const duration = new Trend('call_duration', true)
const failed = new Rate('call_failed')
const repeats = new Counter('call_repeats')
const wrong = new Counter('wrong_answers')
const refusals = new Counter('refusals')

/** Receipts and returns that were acknowledged. */
export const acknowledged = new Counter('acknowledged')
/** Share of the campaign's accepted pushes whose phone fetched within 60 s. */
export const fetchedWithin60s = new Gauge('campaign_fetched_within_60s')
/** Counters of the campaign as it goes on. */
export const campaignProgress = {
  recipients: new Gauge('campaign_recipients'),
  accepted: new Gauge('campaign_accepted'),
  failed: new Gauge('campaign_failed'),
  fetched: new Gauge('campaign_fetched'),
} as const

/** Writes down a call: how long its caller waited for the last answer, repeats included, and whether it was served. */
export function note(kind: Kind, startedAtMs: number, isServed: boolean, tries = 1): void {
  failed.add(!isServed, { kind })
  if (isServed) duration.add(Date.now() - startedAtMs, { kind })
  if (tries > 1) repeats.add(tries - 1, { kind })
}

/** An answer that contradicts another one or its question: the run has failed. */
export function noteWrong(kind: Kind, what: string): void {
  wrong.add(1, { kind })
  console.error(`wrong answer, ${kind}: ${what}`)
}

/** A call that the platform was right to refuse, such as for points that another till took meanwhile. */
export function noteRefusal(kind: Kind): void {
  refusals.add(1, { kind })
}
