import { describeFinding } from '@stampede/verify'
import { kinds } from '../plan/thresholds.ts'
import { countOf, hasSamples } from '../run/summary.ts'
import type { Facts } from './facts.ts'

/** A part of a report: a heading, and lines or a table whose first row is the head. */
export type Part =
  | { readonly title: string; readonly lines: readonly string[] }
  | { readonly title: string; readonly rows: readonly (readonly string[])[] }

/** The parts of a report, in the order of reading. */
export function partsOf(facts: Facts): readonly Part[] {
  const parts: readonly Part[] = [
    { title: 'Verdict', lines: verdict(facts) },
    { title: 'Calls', rows: callRows(facts) },
    { title: 'Pushes', lines: campaignLines(facts) },
    { title: 'Acknowledged and posted', lines: receiptLines(facts) },
    { title: 'Verify', lines: verifyLines(facts) },
    { title: 'Sizes', lines: facts.sizing },
    { title: 'Run', lines: runLines(facts) },
    { title: 'Thresholds', rows: thresholdRows(facts) },
  ]
  return parts.filter((part) => 'rows' in part || part.lines.length > 0)
}

function verdict({ broken, knee, options }: Facts): readonly string[] {
  const well = options.scenario === 'break-point' ? 'all invariants hold' : 'all thresholds and invariants hold'
  const lines = broken.length === 0 ? [well] : broken.map((what) => `BROKEN: ${what}`)
  if (options.scenario !== 'break-point') return lines
  if (knee === undefined) return [...lines, 'no load was carried: the knee is below the first seconds']
  const scale = (knee.share * options.scale).toPrecision(2)
  const where = knee.share === 1 ? `nothing broke up to scale ${options.scale}` : `the knee is at scale ${scale}`
  return [`${where}: ${Math.round(knee.callsPerSecond)} calls per second of all kinds`, ...lines]
}

function callRows({ summary }: Facts): readonly (readonly string[])[] {
  const { metrics } = summary
  const rows = Object.values(kinds)
    .flat()
    .flatMap((kind) => {
      const durations = metrics[`call_duration{kind:${kind}}`]?.values
      const failures = metrics[`call_failed{kind:${kind}}`]?.values
      if (durations === undefined || (durations['count'] ?? 0) + (failures?.['passes'] ?? 0) === 0) return []
      const ms = (name: string): string => whole(durations[name] ?? 0)
      return [
        [
          kind,
          whole(durations['count'] ?? 0),
          whole(failures?.['passes'] ?? 0),
          ms('med'),
          ms('p(95)'),
          ms('p(99)'),
          ms('max'),
        ],
      ]
    })
  return [['call', 'served', 'failed', 'p50 ms', 'p95 ms', 'p99 ms', 'max ms'], ...rows]
}

function campaignLines({ summary, watched }: Facts): readonly string[] {
  const gauge = (name: string): number | undefined => summary.metrics[`campaign_${name}`]?.values['value']
  const [recipients, accepted, failed, fetched] = ['recipients', 'accepted', 'failed', 'fetched'].map(gauge)
  const last = watched.at(-1)
  const pushes =
    last === undefined
      ? []
      : [
          `the sandbox's APNs accepted ${whole(last.accepted)} pushes in all and refused ${whole(last.rejected)}; its phones fetched ${whole(last.fetched)} cards`,
        ]
  if (recipients === undefined) return pushes
  const within = ((gauge('fetched_within_60s') ?? 0) * 100).toFixed(1)
  return [
    `${whole(recipients)} phones: ${whole(accepted ?? 0)} accepted, ${whole(failed ?? 0)} failed, ${whole(fetched ?? 0)} came for the card, ${within} % of them within 60 s of the push`,
    ...pushes,
  ]
}

function receiptLines({ summary, console, reconciliation }: Facts): readonly string[] {
  const lines = [
    `${whole(console.keys)} receipts and returns were acknowledged (${whole(console.acknowledged)} answers, repeats included)`,
    `${whole(countOf(summary, 'call_repeats'))} repeats of calls, ${whole(countOf(summary, 'refusals'))} refusals that were right, ${whole(countOf(summary, 'turned_away'))} phones turned away for a moment`,
  ]
  return reconciliation === undefined
    ? [...lines, 'the ledger was not looked into']
    : [...lines, `${whole(reconciliation.posted)} of this run are in the ledger`]
}

function thresholdRows({ judgements, summary }: Facts): readonly (readonly string[])[] {
  const rows = judgements
    .filter(({ metric }) => hasSamples(summary, metric))
    .map(({ metric, expression, value = 0, ok }) => [
      ok ? 'ok' : 'CROSSED',
      metric,
      expression,
      value.toLocaleString('en', { maximumFractionDigits: 4 }),
    ])
  return [['', 'metric', 'must be', 'was'], ...rows]
}

function verifyLines({ reconciliation }: Facts): readonly string[] {
  return reconciliation?.findings.map(describeFinding) ?? ['not run: no database was named']
}

function runLines({ startedAt, versions, machine, load, options, samples, console }: Facts): readonly string[] {
  return [
    `${startedAt.toISOString().slice(0, 19)}Z, ${options.durationSeconds} s asked for, ${samples.seconds} s measured, limits of latency × ${options.slack}`,
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
    machine,
    `load average of one minute: ${load.atStart.toFixed(1)} at the start, ${load.atEnd.toFixed(1)} at the end`,
    'k6, the platform, its databases and the sandbox share this machine, and whatever else ran on it: absolute numbers are a lower bound',
    `${whole(console.complaintCount)} complaints of k6`,
    ...console.complaints,
  ]
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}
