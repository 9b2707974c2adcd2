import { kinds } from '../plan/thresholds.ts'
import type { Samples, Slice } from '../run/samples.ts'
import { quantile } from '../run/samples.ts'
import type { Facts } from './facts.ts'
import type { Chart, Series } from './svg.ts'

const colors = {
  till: '#0b6e99',
  phone: '#c8553d',
  enrol: '#6a994e',
  p50: '#7aa6c2',
  p95: '#e9a23b',
  p99: '#c8553d',
} as const
const flows = ['till', 'phone', 'enrol'] as const
/** The call of each flow whose latency is drawn. */
const drawn = [
  ['earn', 'A sale at a till: milliseconds to the answer'],
  ['pass', 'A signed card for a phone: milliseconds to the answer'],
  ['visit', 'A phone’s whole visit, waiting included: milliseconds'],
  ['card', 'From enrolment to a card that can be downloaded: milliseconds'],
] as const

/** The plots of a report; those that would be empty are left out. */
export function chartsOf(facts: Facts): readonly Chart[] {
  const { samples } = facts
  const all: readonly Chart[] = [
    { title: 'Calls served per second', unit: '/s', series: flows.map((flow) => rateOf(samples, flow)) },
    ...drawn.map(([kind, title]) => ({ title, unit: 'ms', isLog: true, series: latencyOf(samples, kind) })),
    { title: 'Calls that failed per second', unit: '/s', series: [failuresOf(samples)] },
    {
      title: 'Pushes that APNs accepted, and cards that the sandbox’s phones fetched',
      unit: '',
      series: pushesOf(facts),
    },
    { title: 'The campaign: accepted and fetched', unit: '', series: campaignOf(samples) },
    { title: 'Phones of the sandbox that were woken and are not served yet', unit: '', series: waitingOf(facts) },
  ]
  return all
    .map((chart) => ({ ...chart, series: chart.series.filter(({ points }) => points.some(([, y]) => y > 0)) }))
    .filter(({ series }) => series.length > 0)
}

function slicesOf(samples: Samples, flow: keyof typeof kinds): readonly (readonly Slice[])[] {
  // A visit holds a list and a card: counted once.
  const own: readonly string[] = kinds[flow]
  return own.filter((kind) => kind !== 'visit').flatMap((kind) => [samples.slices.get(kind) ?? []])
}

function sum(slices: readonly (readonly Slice[])[], samples: Samples, what: 'served' | 'failed'): Series['points'] {
  const count = Math.ceil(samples.seconds / samples.sliceSeconds)
  return Array.from({ length: count }, (_, at) => {
    const total = slices.reduce((so, list) => so + (list[at]?.[what] ?? 0), 0)
    return [at * samples.sliceSeconds, total / samples.sliceSeconds]
  })
}

function rateOf(samples: Samples, flow: (typeof flows)[number]): Series {
  return { name: flow, color: colors[flow], points: sum(slicesOf(samples, flow), samples, 'served') }
}

function failuresOf(samples: Samples): Series {
  return { name: 'failed', color: colors.p99, points: sum([...samples.slices.values()], samples, 'failed') }
}

function latencyOf(samples: Samples, kind: string): readonly Series[] {
  const slices = samples.slices.get(kind) ?? []
  return (['p50', 'p95', 'p99'] as const).map((name) => ({
    name,
    color: colors[name],
    points: slices.flatMap(({ durationsMs }, at) => {
      const value = quantile(durationsMs, Number(name.slice(1)) / 100)
      return value === undefined ? [] : [[at * samples.sliceSeconds, value] as const]
    }),
  }))
}

function pushesOf({ watched, samples }: Facts): readonly Series[] {
  const line = (name: 'accepted' | 'fetched', color: string): Series => ({
    name,
    color,
    points: watched.map((row) => [row.atMs / 1_000 - samples.startedAt, row[name]]),
  })
  return [line('accepted', colors.till), line('fetched', colors.phone)]
}

function waitingOf({ watched, samples }: Facts): readonly Series[] {
  const points = watched.map(({ atMs, waiting }) => [atMs / 1_000 - samples.startedAt, waiting] as const)
  return [{ name: 'waiting', color: colors.p95, points }]
}

function campaignOf(samples: Samples): readonly Series[] {
  const line = (name: 'accepted' | 'fetched', color: string): Series => ({
    name,
    color,
    points: (samples.gauges.get(`campaign_${name}`) ?? []).map(({ second, value }) => [second, value]),
  })
  return [line('accepted', colors.till), line('fetched', colors.phone)]
}
