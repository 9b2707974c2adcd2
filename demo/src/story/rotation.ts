import type { StoryCluster } from '../cluster/start.ts'
import { type CampaignFigures, runCampaign } from './campaign.ts'
import type { StoryContext } from './context.ts'
import type { StoryPass } from './members.ts'
import { persist, waitUntil } from './patience.ts'

/** The campaign is paced so that it outlasts a rotation. */
const campaignSeconds = 20
const beforeMs = 2_000
const pickedUpMs = 60_000

/** Rotates the brand's certificate while a campaign runs; an NFC certificate is wanted, which has another one issued. */
export async function rotateDuringCampaign(
  context: StoryContext,
  cluster: StoryCluster,
  passes: ReadonlyMap<string, StoryPass>,
): Promise<CampaignFigures> {
  const pace = Math.max(1, Math.ceil(passes.size / campaignSeconds))
  let isOver = false
  const campaign = runCampaign(context, passes, pace).finally(() => {
    isOver = true
  })
  await Promise.race([campaign, new Promise((resolve) => setTimeout(resolve, beforeMs))])
  await rotate(context, cluster)
  context.teller.line(isOver ? 'the campaign was over before' : 'the campaign runs on')
  return campaign
}

async function rotate({ brand, clients, sandbox, teller }: StoryContext, cluster: StoryCluster): Promise<void> {
  const { status } = await cluster.changeBrand(brand, { apple: { certificateType: 'PassTypeIdWithNfc' } })
  const { serialNumber, revision } = status?.certificate ?? {}
  teller.progressEnd()
  teller.line(`certificate ${revision} (${serialNumber}, with NFC) was issued and published; the first one stays valid`)
  const ask = () => clients.passes.getBrandStatus({ brand })
  await waitUntil('pass-render to sign with it', pickedUpMs, ask, ({ nfc }) => nfc)
  const { appstore } = await persist('reading the sandbox', sandbox.stats)
  const counts = Object.values(appstore.passTypes)
  const sum = (key: 'certificates' | 'revocations') => counts.reduce((total, one) => total + one[key], 0)
  teller.line(
    `pass-render signs with it; App Store Connect counts ${sum('certificates')} certificates, ${sum('revocations')} revocations`,
  )
}
