import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ApnsRow, PhoneRow } from '@stampede/sandbox'
import type { Sale } from '../receipts/model.ts'
import type { StoryContext } from './context.ts'
import { journalEnd, readJournal } from './journal.ts'
import type { StoryPass } from './members.ts'
import { count, percentile } from './say.ts'
import type { Tills } from './tills.ts'

const perSecond = 15
const settleMs = 60_000
const pollMs = 200

/** Latencies of one percentile table, in milliseconds, sorted. */
export interface LiveFigures {
  readonly rung: number
  readonly toAnswerMs: readonly number[]
  readonly toApnsMs: readonly number[]
  readonly toPhoneMs: readonly number[]
}

interface RungUp {
  readonly serial: string
  readonly sentAtMs: number
  readonly answeredAtMs: number
}

/** Rings up sales one by one and follows each to APNs and to its phone, by the sandbox's own journals. */
export async function ringUpLive(
  context: StoryContext,
  tills: Tills,
  sales: readonly Sale[],
  passes: ReadonlyMap<string, StoryPass>,
): Promise<LiveFigures> {
  const { teller, platform } = context
  const files = {
    apns: join(platform.folders.sandbox, 'apns.ndjson'),
    phones: join(platform.folders.sandbox, 'phones.ndjson'),
  }
  const from = { apns: journalEnd(files.apns), phones: journalEnd(files.phones) }
  const rung = await ringUpAll(context, tills, sales, passes)
  const visible = rung.filter(({ serial }) => serial !== '')
  const tokens = await tokensOf(files.phones)
  const deadline = Date.now() + settleMs
  let shown = new Map<string, number>()
  while (shown.size < visible.length && Date.now() < deadline) {
    await delay(pollMs)
    shown = await firstAfter(
      readJournal<PhoneRow>(files.phones, from.phones),
      (row) => (row.event === 'show' ? row.serial : undefined),
      new Map(visible.map(({ serial, sentAtMs }) => [serial, sentAtMs])),
    )
    teller.progress('phones show it', shown.size, visible.length)
  }
  teller.progressEnd()
  const sentByToken = new Map(visible.map(({ serial, sentAtMs }) => [tokens.get(serial) ?? '', sentAtMs]))
  const accepted = await firstAfter(
    readJournal<ApnsRow>(files.apns, from.apns),
    (row) => (row.status === 200 ? row.token : undefined),
    sentByToken,
  )
  const sorted = (values: readonly number[]): readonly number[] => values.toSorted((a, b) => a - b)
  return {
    rung: rung.length,
    toAnswerMs: sorted(rung.map(({ sentAtMs, answeredAtMs }) => answeredAtMs - sentAtMs)),
    toApnsMs: sorted([...accepted.values()]),
    toPhoneMs: sorted([...shown.values()]),
  }
}

/** Prints the latencies. */
export function tellLatencies({ teller }: StoryContext, figures: LiveFigures): void {
  const row = (label: string, values: readonly number[]): readonly string[] => [
    label,
    count(values.length),
    ...[0.5, 0.95, 0.99, 1].map((share) => {
      const value = percentile(values, share)
      return value === undefined ? '-' : `${value.toFixed(0)} ms`
    }),
  ]
  teller.table([
    ['from the till', 'receipts', 'p50', 'p95', 'p99', 'max'],
    row('to its answer', figures.toAnswerMs),
    row('to APNs accept', figures.toApnsMs),
    row('to the phone', figures.toPhoneMs),
  ])
}

async function ringUpAll(
  context: StoryContext,
  tills: Tills,
  sales: readonly Sale[],
  passes: ReadonlyMap<string, StoryPass>,
): Promise<readonly RungUp[]> {
  const startedAt = performance.now()
  const running: Promise<RungUp>[] = []
  for (const [index, sale] of sales.entries()) {
    // Arrivals at a fixed rate, whatever the answers take: a slow answer must not hide behind a slow caller.
    await delay(Math.max(0, startedAt + (index * 1000) / perSecond - performance.now()))
    running.push(
      tills.ringUp(sale).then(({ memberId, delta, sentAtMs }) => ({
        serial: delta === 0n ? '' : (passes.get(memberId)?.serial ?? ''),
        sentAtMs,
        answeredAtMs: performance.timeOrigin + performance.now(),
      })),
    )
    context.teller.progress('rung up', index + 1, sales.length)
  }
  const rung = await Promise.all(running)
  context.teller.progressEnd()
  return rung
}

/** Push token by serial, from the installations in the journal. */
export async function tokensOf(phonesFile: string): Promise<ReadonlyMap<string, string>> {
  const tokens = new Map<string, string>()
  for await (const row of readJournal<PhoneRow>(phonesFile)) {
    if (row.event === 'install') tokens.set(row.serial, row.token)
  }
  return tokens
}

async function firstAfter<Row extends { readonly at: number }>(
  rows: AsyncIterable<Row>,
  keyOf: (row: Row) => string | undefined,
  sentAtMs: ReadonlyMap<string, number>,
): Promise<Map<string, number>> {
  const first = new Map<string, number>()
  for await (const row of rows) {
    const key = keyOf(row)
    const sent = key === undefined ? undefined : sentAtMs.get(key)
    if (key === undefined || sent === undefined || row.at < sent || first.has(key)) continue
    first.set(key, row.at - sent)
  }
  return first
}
