import { join } from 'node:path'
import { StampedeError } from '@stampede/platform'
import type { Progress } from '@stampede/proto/campaigns/v1'
import type { ApnsRow } from '@stampede/sandbox'
import type { StoryContext } from './context.ts'
import { journalEnd, readJournal } from './journal.ts'
import { tokensOf } from './live.ts'
import type { StoryPass } from './members.ts'
import { persist } from './patience.ts'
import { count } from './say.ts'

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

/** Runs the Black Friday campaign to its end. */
export async function runCampaign(
  context: StoryContext,
  passes: ReadonlyMap<string, StoryPass>,
): Promise<CampaignFigures> {
  const { brand, clients, options, platform, teller } = context
  const apnsFile = join(platform.folders.sandbox, 'apns.ndjson')
  const from = journalEnd(apnsFile)
  const audience = await readAudience(context, passes)
  const { campaign } = await persist('creating the campaign', () =>
    clients.campaigns.createCampaign({
      idempotencyKey: `campaign/${crypto.randomUUID()}`,
      brand,
      name: 'Black Friday',
      segments: [...options.segments],
      texts: [{ locale: 'en-GB', text }],
      maxPerSecond: 0,
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
        if (((bitmap[bit >> 3] ?? 0) >> (bit & 7)) % 2 === 0) continue
        const serial = serialOf.get(Number(base) + bit)
        if (serial !== undefined) serials.push(serial)
      }
    }
    return serials
  })
}

async function watch({ brand, clients, teller }: StoryContext, campaignId: string): Promise<Progress> {
  let last: Progress | undefined
  let before: { readonly atMs: number; readonly progress: Progress } | undefined
  for (;;) {
    try {
      for await (const { progress, at } of clients.campaigns.watchCampaign({ brand, campaignId })) {
        if (progress === undefined) continue
        last = progress
        const atMs = at?.getTime() ?? Date.now()
        const since = before ?? { atMs: atMs - 1, progress }
        teller.progress(
          'fetched',
          Number(progress.fetched),
          Number(progress.recipients || progress.audience),
          rates(since, { atMs, progress }),
        )
        if (before === undefined || atMs - before.atMs >= 1000) before = { atMs, progress }
      }
      break
    } catch (error) {
      // A killed service ends the stream: watch on.
      if (!(error instanceof StampedeError) || (!error.retryable && error.code !== 'CANCELLED')) throw error
    }
  }
  teller.progressEnd()
  if (last === undefined) throw new Error('the campaign showed no progress')
  return last
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
