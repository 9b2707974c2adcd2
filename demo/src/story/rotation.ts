import type { StoryCluster } from '../cluster/start.ts'
import { type CampaignFigures, runCampaign } from './campaign.ts'
import type { StoryContext } from './context.ts'
import { type LiveFigures, ringUpLive, tellLatencies } from './live.ts'
import type { StoryPass } from './members.ts'
import { persist, waitUntil } from './patience.ts'
import { splitHistory } from './receipts.ts'
import type { StoryState } from './state.ts'
import type { Tills } from './tills.ts'

/** The campaign is paced so that it outlasts a rotation. */
const campaignSeconds = 20
const pickedUpMs = 60_000

/** What goes on while the certificate is rotated. */
export interface Traffic {
  readonly passes: ReadonlyMap<string, StoryPass>
  readonly tills: Tills
  readonly state: StoryState
}

/**
 * Rotates the brand's certificate while a campaign runs and tills ring up; an NFC certificate is wanted, which has
 * another one issued. Then rings up more, and sees that APNs was reached under the new certificate.
 */
export async function rotateDuringCampaign(
  context: StoryContext,
  cluster: StoryCluster,
  traffic: Traffic,
): Promise<CampaignFigures> {
  const { passes } = traffic
  const pace = Math.max(1, Math.ceil(passes.size / campaignSeconds))
  const ring = (run: number): Promise<LiveFigures> => ringUpMore(context, traffic, run)
  const [campaign, during, serialNumber] = await Promise.all([
    runCampaign(context, passes, pace),
    ring(1),
    rotate(context, cluster),
  ])
  tellLatencies(context, during)
  tellLatencies(context, await ring(2))
  const { apns } = await persist('reading the sandbox', context.sandbox.stats)
  const connections = apns.handshakes[serialNumber] ?? 0
  if (connections === 0) throw new Error(`nobody came to APNs with certificate ${serialNumber}`)
  context.teller.line(`the dispatcher pushes with it: ${connections} connections to APNs`)
  return campaign
}

/** Today's purchases of later runs of this story. */
function ringUpMore(context: StoryContext, { tills, state, passes }: Traffic, run: number): Promise<LiveFigures> {
  const later = { ...state, historyPosted: true, runs: state.runs + run }
  const { live } = splitHistory(context.history, context.options, later, tills.isPosted)
  return ringUpLive(context, tills, live, passes)
}

/** Gives the new certificate's serial number. */
async function rotate({ brand, clients, sandbox, teller }: StoryContext, cluster: StoryCluster): Promise<string> {
  const { status } = await cluster.changeBrand(brand, { apple: { certificateType: 'PassTypeIdWithNfc' } })
  const { serialNumber = '', revision } = status?.certificate ?? {}
  teller.progressEnd()
  teller.line(`certificate ${revision} (${serialNumber}, with NFC) was issued and published; the first one stays valid`)
  const ask = () => clients.passes.getBrandStatus({ brand })
  await waitUntil('pass-render to sign with it', pickedUpMs, ask, ({ nfc }) => nfc)
  const { appstore } = await persist('reading the sandbox', sandbox.stats)
  const counts = Object.values(appstore.passTypes)
  const sum = (key: 'certificates' | 'revocations') => counts.reduce((total, one) => total + one[key], 0)
  teller.progressEnd()
  teller.line(
    `pass-render signs with it; App Store Connect counts ${sum('certificates')} certificates, ${sum('revocations')} revocations`,
  )
  return serialNumber
}
