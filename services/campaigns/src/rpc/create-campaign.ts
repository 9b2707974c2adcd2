import { createHash } from 'node:crypto'
import {
  checkBrand,
  checkIdempotencyKey,
  checkInt,
  checkList,
  checkText,
  expectBrand,
  idempotencyConflict,
  invalidArgument,
  writeOutbox,
} from '@stampede/platform'
import { CreateCampaignRequest, type CreateCampaignResponse } from '@stampede/proto/campaigns/v1'
import type { Context } from '../context.ts'
import { checkTexts } from '../domain/message.ts'
import { knownSegments } from '../domain/segments.ts'
import { campaignChanged } from '../events.ts'
import { insertCampaign, readCampaign } from '../store/campaigns.ts'
import { viewCampaign } from '../view.ts'

const perSecondMax = 1_000_000

/** Stores a campaign as a draft; the same key with the same body gives the one that is there. */
export async function createCampaign(
  context: Context,
  request: CreateCampaignRequest,
): Promise<CreateCampaignResponse> {
  const createKey = checkIdempotencyKey(request.idempotencyKey)
  const brand = checkBrand(request.brand)
  const name = checkText(request.name, 'name', { min: 1, max: 80 })
  const segments = checkSegments(request.segments)
  const texts = checkTexts(request.texts)
  const maxPerSecond = checkInt(request.maxPerSecond, 'max_per_second', { min: 0, max: perSecondMax })
  await expectBrand(context.brands, brand)
  const body = CreateCampaignRequest.encode({ ...request, idempotencyKey: '' }).finish()
  const bodyHash = createHash('sha256').update(body).digest()
  const now = context.clock.now()
  const campaignId = context.newId(now.getTime())
  const row = await context.database.transaction(async (tx) => {
    const draft = { brand, campaignId, name, segments, texts, maxPerSecond, createKey, createHash: bodyHash, now }
    const stored = await insertCampaign(tx, draft)
    if (!stored.sameBody) throw idempotencyConflict()
    const campaign = await readCampaign(tx, brand, stored.campaignId)
    if (stored.campaignId === campaignId) await writeOutbox(tx, [campaignChanged(campaign, 0, now)])
    return campaign
  })
  context.wakeRelay()
  return { campaign: await viewCampaign(context.database, row) }
}

function checkSegments(segments: readonly string[]): readonly string[] {
  checkList(segments, 'segments', { min: 1, max: knownSegments.size })
  segments.forEach((segment, index) => {
    if (knownSegments.has(segment)) return
    throw invalidArgument(`segments[${index}]`, `must be one of ${[...knownSegments].join(', ')}`)
  })
  return [...new Set(segments)]
}
