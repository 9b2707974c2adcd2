import type { CampaignFigures } from '../story/campaign.ts'
import type { StoryContext } from '../story/context.ts'
import type { LiveFigures } from '../story/live.ts'
import type { StoryMember, StoryPass } from '../story/members.ts'
import { percentile } from '../story/say.ts'

/** What the page asks its own server for; everything else it takes from the services' HTTP side. */
export interface PageData {
  /** Where the services are, and the marketer's key; the key is empty until the brand is there. */
  setup(): unknown
  /** How far the story is, and figures that only it knows: latencies from the till. */
  story(): unknown
  /** Cards whose number or reference holds the search text; at most 50. */
  cards(search: string): unknown
  /** The phone that shows a pass; undefined when none does. */
  phone(serial: string): Promise<unknown>
}

/** What the story knows so far. */
export interface StoryKnowledge {
  members: ReadonlyMap<string, StoryMember>
  passes: ReadonlyMap<string, StoryPass>
  marketerKey: string
  live?: LiveFigures
  campaign?: CampaignFigures
}

const cardsMax = 50

/** Nothing known yet. */
export function createKnowledge(): StoryKnowledge {
  return { members: new Map(), passes: new Map(), marketerKey: '' }
}

/** Reads from a story that is being told. */
export function createPageData(context: StoryContext, knowledge: StoryKnowledge): PageData {
  const { brand, platform, sandbox, options } = context
  const { ports } = platform
  const at = (port: number): string => `http://127.0.0.1:${port}`
  return {
    setup: () => ({
      brand,
      currency: options.currency,
      key: knowledge.marketerKey,
      services: { analytics: at(ports.analyticsHttp), campaigns: at(ports.campaignsHttp) },
      docs: [
        ['enrollment', at(ports.enrollmentHttp)],
        ['ledger', at(ports.ledgerHttp)],
        ['pass-render', at(ports.passRenderHttp)],
        ['geo', at(ports.geoHttp)],
        ['campaigns', at(ports.campaignsHttp)],
        ['analytics', at(ports.analyticsHttp)],
      ],
    }),
    story: () => ({
      chapter: chapterOf(knowledge),
      isTold: knowledge.campaign !== undefined,
      campaignId: knowledge.campaign?.campaignId,
      losses: knowledge.campaign?.losses,
      duplicates: knowledge.campaign?.duplicates,
      pushesPerSecond: knowledge.campaign?.pushesPerSecond,
      latencies: knowledge.live === undefined ? [] : latenciesOf(knowledge.live),
    }),
    cards: (search) => findCards(knowledge, search.trim().toLowerCase()),
    phone: (serial) => sandbox.phone(serial),
  }
}

function chapterOf({ marketerKey, members, live, campaign }: StoryKnowledge): string {
  if (marketerKey === '') return 'creating the brand'
  if (members.size === 0) return 'enrolling members and issuing cards'
  if (live === undefined) return 'posting receipts, phones install their cards'
  if (campaign === undefined) return 'sending the Black Friday campaign'
  return ''
}

function latenciesOf(live: LiveFigures): unknown {
  const row = (label: string, values: readonly number[]) => ({
    label,
    receipts: values.length,
    p50: percentile(values, 0.5),
    p95: percentile(values, 0.95),
    p99: percentile(values, 0.99),
  })
  return [row('to its answer', live.toAnswerMs), row('to APNs', live.toApnsMs), row('to the phone', live.toPhoneMs)]
}

function findCards({ members, passes }: StoryKnowledge, search: string): unknown {
  const found: (StoryMember & { readonly serial: string })[] = []
  for (const member of members.values()) {
    const { reference, memberId, cardNumber } = member
    if (search !== '' && !reference.toLowerCase().includes(search) && !cardNumber.includes(search)) continue
    const serial = passes.get(memberId)?.serial
    if (serial !== undefined) found.push({ ...member, serial })
    if (found.length >= cardsMax) break
  }
  return found
}
