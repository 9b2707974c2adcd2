import type { ApnsRow } from '@stampede/sandbox'
import { broken, type Finding, holds } from './findings.ts'
import type { Holding, Holdings } from './holdings.ts'

/** Nobody's push went to another brand's topic: token, topic and client certificate agree in every accepted push. */
export async function checkTopics(pushes: AsyncIterable<ApnsRow>, { byToken }: Holdings): Promise<Finding> {
  const invariant = "nobody's push went to another brand's topic"
  let accepted = 0
  for await (const { status, token, topic, certUid, at, apnsId } of pushes) {
    if (status !== 200) continue
    accepted += 1
    const held = (byToken.get(token) ?? []).filter(({ installedAtMs }) => installedAtMs <= at)
    if (certUid === topic && held.some(({ passTypeId }) => passTypeId === topic)) continue
    const owners = [...new Set(held.map(({ passTypeId }) => passTypeId))].join(', ') || 'nobody'
    return broken(invariant, `apns-id ${apnsId}: token of ${owners}, topic ${topic}, certificate ${certUid}`)
  }
  return holds(invariant, accepted, 'accepted pushes')
}

/** A campaign that is done, as campaigns and pass-render keep it. */
export interface DoneCampaign {
  readonly campaignId: string
  readonly startedAtMs: number
  readonly finishedAtMs: number
  /** Serials of the frozen audience, without those who withdrew before they were pushed. */
  readonly serials: readonly string[]
}

/** Unix ms of the accepted pushes by token and topic. */
export type AcceptedPushes = ReadonlyMap<string, readonly number[]>

/** The sandbox's clock counts on from its start, the services' may be corrected meanwhile. */
const clockSlackMs = 1_000

/** Every phone that held a card of the audience from start to end was pushed at least once between them. */
export function checkCampaign(campaign: DoneCampaign, { bySerial }: Holdings, accepted: AcceptedPushes): Finding {
  const invariant = 'every card of a campaign was pushed'
  const { campaignId, serials, startedAtMs, finishedAtMs } = campaign
  const isWithin = (atMs: number): boolean => atMs >= startedAtMs - clockSlackMs && atMs <= finishedAtMs + clockSlackMs
  let checked = 0
  for (const serial of serials) {
    for (const holding of bySerial.get(serial) ?? []) {
      if (!coversCampaign(holding, campaign)) continue
      checked += 1
      if (accepted.get(keyOf(holding.token, holding.passTypeId))?.some(isWithin) === true) continue
      return broken(invariant, `campaign ${campaignId}: pass ${serial} on token ${holding.token} got no push`)
    }
  }
  return holds(invariant, checked, `phones with the ${serials.length} cards of campaign ${campaignId}`)
}

function coversCampaign({ registeredAtMs, removedAtMs }: Holding, campaign: DoneCampaign): boolean {
  if (registeredAtMs === undefined || registeredAtMs > campaign.startedAtMs) return false
  return removedAtMs === undefined || removedAtMs > campaign.finishedAtMs
}

/** Reads when pushes were accepted. */
export async function readAccepted(pushes: AsyncIterable<ApnsRow>): Promise<AcceptedPushes> {
  const accepted = new Map<string, number[]>()
  for await (const { status, token, topic, at } of pushes) {
    if (status !== 200) continue
    const key = keyOf(token, topic)
    const known = accepted.get(key)
    if (known === undefined) accepted.set(key, [at])
    else known.push(at)
  }
  return accepted
}

function keyOf(token: string, topic: string): string {
  return `${token} ${topic}`
}
