import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { hasBit } from '@stampede/platform'
import type { Progress } from '@stampede/proto/campaigns/v1'
import type { ApnsRow } from '@stampede/sandbox'
import type { StoryContext } from './context.ts'
import { journalEnd, readJournal } from './journal.ts'
import { tokensOf } from './live.ts'
import type { StoryPass } from './members.ts'
import { isAway, persist } from './patience.ts'
import { count } from './say.ts'

const watchAgainMs = 500
/** How long campaigns may be away before the story gives up. */
const awayMs = 120_000
const text =
  'Black Friday, {name}: double points today. You have {points, plural, one {# point} other {# points}} to spend.'

/** What became of a campaign, counted by the sandbox where it can. */
export interface CampaignFigures {
  readonly campaignId: string
  readonly progress: Progress
  readonly pushesPerSecond: number
  /** Passes of the audience on a phone to which APNs accepted no push. */
  readonly losses: number
  /** Pushes that APNs accepted beyond the first per phone. */
  readonly duplicates: number
}

/** Runs the Black Friday campaign to its end, at most so many pushes per second; 0 for no ceiling. */
export async function runCampaign(
  context: StoryContext,
  passes: ReadonlyMap<string, StoryPass>,
  maxPerSecond = 0,
): Promise<CampaignFigures> {
  const { brand, clients, options, platform, teller } = context
  const apnsFile = join(platform.folders.sandbox, 'apns.ndjson')
  const from = journalEnd(apnsFile)
  const audience = await readAudience(context, passes)
  const idempotencyKey = `campaign/${crypto.randomUUID()}`
  const { campaign } = await persist('creating the campaign', () =>
    clients.campaigns.createCampaign({
      idempotencyKey,
      brand,
      name: 'Black Friday',
      segments: [...options.segments],
      texts: [{ locale: 'en-GB', text }],
      maxPerSecond,
    }),
  )
  const campaignId = campaign?.campaignId ?? ''
  teller.line(`to ${options.segments.join(', ')}: ${count(audience.length)} cards. "${text}"`)
  await persist('starting the campaign', () =>
    clients.campaigns.startCampaign({ idempotencyKey: `start/${campaignId}`, brand, campaignId }),
  )
  const progress = await watch(context, campaignId)
  const tokens = await tokensOf(join(platform.folders.sandbox, 'phones.ndjson'))
  const accepted = await acceptedByToken(apnsFile, from)
  const phones = audience.map((serial) => tokens.get(serial)).filter((token) => token !== undefined)
  const times = [...accepted.values()].flat()
  const seconds = (Math.max(...range(times)) - Math.min(...range(times))) / 1000
  return {
    campaignId,
    progress,
    pushesPerSecond: times.length / Math.max(seconds, 0.001),
    losses: phones.filter((token) => !accepted.has(token)).length,
    duplicates: phones.reduce((sum, token) => sum + Math.max(0, (accepted.get(token)?.length ?? 0) - 1), 0),
  }
}

/** Prints the closing table. */
export function tellCampaign({ teller }: StoryContext, figures: CampaignFigures): void {
  const { progress, pushesPerSecond, losses, duplicates } = figures
  const share = progress.accepted === 0n ? 0 : Number(progress.fetchedWithin60s) / Number(progress.accepted)
  teller.table([
    ['campaign "Black Friday"', ''],
    ['cards in the audience', count(progress.audience)],
    ['held back (consent, block)', count(progress.excluded)],
    ['phones pushed', count(progress.sent)],
    ['accepted by APNs', count(progress.accepted)],
    ['failed', count(progress.failed)],
    ...Object.entries(progress.failuresByReason).map(([reason, number]) => [`  ${reason}`, count(number)]),
    ['pushes per second', count(Math.round(pushesPerSecond))],
    ['fetched within 60 s', `${(share * 100).toFixed(1)} %`],
    ['duplicates', count(duplicates)],
    ['losses', count(losses)],
  ])
}

async function readAudience(context: StoryContext, passes: ReadonlyMap<string, StoryPass>): Promise<readonly string[]> {
  const { brand, clients, options } = context
  const serialOf = new Map([...passes.values()].map(({ no, serial }) => [no, serial]))
  return persist('reading the audience', async () => {
    const serials: string[] = []
    for await (const { base, bitmap } of clients.analytics.getAudience({ brand, segments: [...options.segments] })) {
      for (let bit = 0; bit < bitmap.length * 8; bit += 1) {
        if (!hasBit(bitmap, bit)) continue
        const serial = serialOf.get(Number(base) + bit)
        if (serial !== undefined) serials.push(serial)
      }
    }
    return serials
  })
}

async function watch(context: StoryContext, campaignId: string): Promise<Progress> {
  let awaySince: number | undefined
  for (;;) {
    try {
      const last = await watchOnce(context, campaignId, () => {
        awaySince = undefined
      })
      if (last !== undefined) return last
    } catch (error) {
      // A killed service ends the stream: watch on.
      awaySince ??= Date.now()
      if (!isAway(error) || Date.now() - awaySince > awayMs) throw error
    }
    await delay(watchAgainMs)
  }
}

/** Progress at the campaign's end; undefined when the stream ended before it did. */
async function watchOnce(
  { brand, clients, teller }: StoryContext,
  campaignId: string,
  onSign: () => void,
): Promise<Progress | undefined> {
  let before: Sample | undefined
  let last: { readonly status: string; readonly progress: Progress } | undefined
  for await (const { status, progress, at } of clients.campaigns.watchCampaign({ brand, campaignId })) {
    onSign()
    if (progress === undefined) continue
    last = { status, progress }
    const now = { atMs: at?.getTime() ?? Date.now(), progress }
    const total = Number(progress.recipients || progress.audience)
    teller.progress('fetched', Number(progress.fetched), total, rates(before ?? now, now))
    if (before === undefined || now.atMs - before.atMs >= 1000) before = now
  }
  teller.progressEnd()
  return last?.status === 'done' || last?.status === 'aborted' ? last.progress : undefined
}

interface Sample {
  readonly atMs: number
  readonly progress: Progress
}

function rates(before: Sample, now: Sample): string {
  const seconds = Math.max(0.25, (now.atMs - before.atMs) / 1000)
  const rate = (key: 'sent' | 'accepted' | 'failed' | 'fetched'): string =>
    `${key} ${count(Math.round(Number(now.progress[key] - before.progress[key]) / seconds))}/s`
  return (['sent', 'accepted', 'failed', 'fetched'] as const).map(rate).join('  ')
}

async function acceptedByToken(file: string, from: number): Promise<ReadonlyMap<string, readonly number[]>> {
  const accepted = new Map<string, number[]>()
  for await (const row of readJournal<ApnsRow>(file, from)) {
    if (row.status !== 200) continue
    const known = accepted.get(row.token)
    if (known === undefined) accepted.set(row.token, [row.at])
    else known.push(row.at)
  }
  return accepted
}

function range(values: readonly number[]): readonly [number, number] {
  return values.reduce<readonly [number, number]>(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  )
}
