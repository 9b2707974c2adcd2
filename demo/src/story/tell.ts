import type { StoryKnowledge } from '../page/data.ts'
import { createBrand } from './brand.ts'
import { runCampaign, tellCampaign } from './campaign.ts'
import { openTill, type StoryContext } from './context.ts'
import { saveAtGoogle } from './google.ts'
import { ringUpLive, tellLatencies } from './live.ts'
import { awaitPasses, enrolMembers, installPasses } from './members.ts'
import { persist } from './patience.ts'
import { tellPurchases } from './purchases.ts'
import { postPast, postReturns, splitHistory } from './receipts.ts'
import { takeSnapshot, tellReports } from './reports.ts'
import { rotateDuringCampaign } from './rotation.ts'
import { count } from './say.ts'
import { type StoryState, writeState } from './state.ts'
import { openTills } from './tills.ts'

/** Tells the whole story; each chapter uses the platform as its users do. */
export async function tellStory(context: StoryContext, begun: StoryState, knowledge: StoryKnowledge): Promise<void> {
  const { brand, history, options, platform, teller, sandbox } = context
  const { root, run } = platform.folders
  // From here on the dates of this story are fixed, whenever it goes on.
  writeState(root, brand, begun)

  teller.chapter('A brand')
  let state = await createBrand(context, begun)
  writeState(root, brand, state)
  knowledge.marketerKey = state.marketerKey ?? ''

  teller.chapter('Purchases')
  tellPurchases(teller, options, history, run)

  teller.chapter('Members, cards and phones')
  const members = await enrolMembers(context)
  const passes = await awaitPasses(context, members.size)
  knowledge.members = members
  knowledge.passes = passes
  await using till = openTill(platform, state.tillKey ?? '')
  const tills = await openTills(context, members, till)
  const split = splitHistory(history, options, state, tills.isPosted)
  if (split.past.length > 0) await postPast(context, tills, split.past)
  await installPasses(context, passes)

  teller.chapter('Receipts before the phones’ eyes')
  const figures = await ringUpLive(context, tills, split.live, passes)
  knowledge.live = figures
  if (figures.rung > 0) tellLatencies(context, figures)
  else teller.line('every receipt of the file was posted by an earlier run')
  await postReturns(tills, split.after)
  state = { ...state, historyPosted: true, runs: state.runs + 1 }
  writeState(root, brand, state)

  teller.chapter('Segments and a Black Friday campaign')
  await takeSnapshot(context, { sales: history.sales.length, passes: members.size })
  const campaign =
    context.cluster === undefined
      ? await runCampaign(context, passes)
      : await rotateDuringCampaign(context, context.cluster, { passes, tills, state })
  knowledge.campaign = campaign
  tellCampaign(context, campaign)

  teller.chapter('What ClickHouse says')
  await tellReports(context)
  const { google } = await persist('reading the sandbox', sandbox.stats)
  teller.line(
    `Google holds ${count(google.objects)} card objects; at its ${options.googlePerSecond} calls a second others may still follow`,
  )
  await saveAtGoogle(context, passes)
}
