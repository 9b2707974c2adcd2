import { sleep } from 'k6'
import { Service } from './grpc.ts'
import { campaignProgress, fetchedWithin60s, noteWrong } from './metrics.ts'
import { fixture, uniqueKey } from './world.ts'

const campaigns = new Service(
  'stampede/campaigns/v1/campaigns.proto',
  'stampede.campaigns.v1.CampaignsService',
  fixture.addresses.campaigns,
  fixture.marketerKey,
)

const lookAgainSeconds = 0.5
/** Phones have so long after the last push. */
const fetchMs = 60_000
const text = 'Black Friday, {name}: double points today. You have {points, plural, one {# point} other {# points}}.'

/** Counters are 64 bits wide: texts in JSON. */
interface Progress {
  readonly audience: string
  readonly excluded: string
  readonly recipients: string
  readonly sent: string
  readonly accepted: string
  readonly failed: string
  readonly aborted: string
  readonly fetched: string
  readonly fetchedWithin60s: string
}

interface Campaign {
  readonly campaignId: string
  readonly status: string
  readonly progress: Progress
}

/** A marketer sends one campaign to everybody and watches it to its end. */
export function campaign(): void {
  const { brand } = fixture
  const created = campaigns.call<{ campaign: Campaign }>('create', 'CreateCampaign', {
    idempotencyKey: uniqueKey('create'),
    brand,
    name: `Load ${fixture.run}`.slice(0, 80),
    segments: ['all'],
    texts: [{ locale: 'en-GB', text }],
  })
  if (created === undefined) return
  const { campaignId } = created.campaign
  const idempotencyKey = uniqueKey('start')
  const started = campaigns.call('start', 'StartCampaign', { idempotencyKey, brand, campaignId })
  if (started === undefined) return
  reconcile(watch(campaignId))
}

/** Progress once all is sent, and every phone came or had a minute. */
function watch(campaignId: string): Progress {
  let doneAtMs: number | undefined
  for (;;) {
    const found = campaigns.look<{ campaign: Campaign }>('GetCampaign', { brand: fixture.brand, campaignId })
    if (found !== undefined) {
      const { status, progress } = found.campaign
      for (const name of ['recipients', 'accepted', 'failed', 'fetched'] as const)
        campaignProgress[name].add(Number(progress[name]))
      if (status === 'done' || status === 'aborted') doneAtMs ??= Date.now()
      const hasAll = Number(progress.fetched) >= Number(progress.accepted)
      if (doneAtMs !== undefined && (hasAll || Date.now() - doneAtMs > fetchMs)) return progress
    }
    sleep(lookAgainSeconds)
  }
}

/** The counts must add up. */
function reconcile(progress: Progress): void {
  const { audience, excluded, recipients, sent, accepted, failed, aborted, fetched, fetchedWithin60s: soon } = progress
  const equal = (what: string, left: number, right: number): void => {
    if (left !== right) noteWrong('start', `campaign: ${what}: ${left} and ${right}`)
  }
  equal(
    'recipients are accepted, failed or aborted',
    Number(recipients),
    Number(accepted) + Number(failed) + Number(aborted),
  )
  equal('sent have an outcome', Number(sent), Number(accepted) + Number(failed))
  equal('nobody failed', Number(failed), 0)
  if (Number(recipients) === 0) noteWrong('start', 'campaign: it reached nobody')
  if (Number(fetched) > Number(recipients)) noteWrong('start', 'campaign: more fetched than were sent to')
  if (Number(excluded) === 0)
    noteWrong('start', `campaign: nobody of ${audience} was left out, though some gave no consent`)
  fetchedWithin60s.add(Number(soon) / Math.max(1, Number(accepted)))
}
