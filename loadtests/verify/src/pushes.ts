import type { ApnsRow, PhoneRow } from '@stampede/sandbox'
import { broken, type Finding, holds } from './findings.ts'

/** A phone as the sandbox's own journal knows it. */
export interface Phone {
  readonly token: string
  readonly passTypeId: string
  /** Unix ms of the first installation of each serial. */
  readonly installedAt: ReadonlyMap<string, number>
  /** Unix ms of the removal of each serial, if any. */
  readonly removedAt: ReadonlyMap<string, number>
}

/** Phones by push token. */
export async function readPhones(rows: AsyncIterable<PhoneRow>): Promise<ReadonlyMap<string, Phone>> {
  const phones = new Map<string, Phone & { installedAt: Map<string, number>; removedAt: Map<string, number> }>()
  for await (const row of rows) {
    if (row.event !== 'install' && row.event !== 'remove') continue
    const phone = phones.get(row.token) ?? {
      token: row.token,
      passTypeId: row.passTypeId,
      installedAt: new Map<string, number>(),
      removedAt: new Map<string, number>(),
    }
    phones.set(row.token, phone)
    if (row.event === 'remove') phone.removedAt.set(row.serial, row.at)
    else if (!phone.installedAt.has(row.serial)) phone.installedAt.set(row.serial, row.at)
  }
  return phones
}

/** Nobody's push went to another brand's topic: token, topic and client certificate agree in every accepted push. */
export async function checkTopics(
  pushes: AsyncIterable<ApnsRow>,
  phones: ReadonlyMap<string, Phone>,
): Promise<Finding> {
  const invariant = "nobody's push went to another brand's topic"
  let accepted = 0
  for await (const push of pushes) {
    if (push.status !== 200) continue
    accepted += 1
    const owner = phones.get(push.token)?.passTypeId
    if (owner !== push.topic || push.certUid !== push.topic) {
      const row = `apns-id ${push.apnsId}: token of ${owner ?? 'nobody'}, topic ${push.topic}, certificate ${push.certUid}`
      return broken(invariant, row)
    }
  }
  return holds(invariant, `${accepted} accepted pushes`)
}

/** A campaign that is done, as campaigns and pass-render keep it. */
export interface DoneCampaign {
  readonly campaignId: string
  readonly startedAtMs: number
  /** Serials of the frozen audience. */
  readonly serials: readonly string[]
}

/** Every phone that held a card of the audience from start to end was pushed at least once since the start. */
export function checkCampaign(
  campaign: DoneCampaign,
  phones: ReadonlyMap<string, Phone>,
  lastAcceptedAt: ReadonlyMap<string, number>,
): Finding {
  const invariant = 'every card of a campaign was pushed'
  const holders = new Map<string, Phone[]>()
  for (const phone of phones.values()) {
    for (const serial of phone.installedAt.keys()) holders.set(serial, [...(holders.get(serial) ?? []), phone])
  }
  let checked = 0
  for (const serial of campaign.serials) {
    for (const phone of holders.get(serial) ?? []) {
      if ((phone.installedAt.get(serial) ?? Number.POSITIVE_INFINITY) > campaign.startedAtMs) continue
      if (phone.removedAt.has(serial)) continue
      checked += 1
      if ((lastAcceptedAt.get(phone.token) ?? 0) >= campaign.startedAtMs) continue
      return broken(invariant, `campaign ${campaign.campaignId}: pass ${serial} on token ${phone.token} got no push`)
    }
  }
  return holds(invariant, `${checked} phones of campaign ${campaign.campaignId}`)
}

/** Unix ms of the last accepted push by token. */
export async function readLastAccepted(pushes: AsyncIterable<ApnsRow>): Promise<ReadonlyMap<string, number>> {
  const last = new Map<string, number>()
  for await (const push of pushes) if (push.status === 200) last.set(push.token, push.at)
  return last
}
