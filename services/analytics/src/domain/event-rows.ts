import {
  type AccountState,
  type CampaignState,
  Event,
  type MemberState,
  type PassFetches,
  type PassState,
  type ReceiptState,
} from '@stampede/proto/events/v1'
import { addRow, instantCell, MalformedMessage, millisecondsCell, type Origin, type RowSet } from './tables.ts'

/** What the rows of one event are, and which receipt it brings, if any. */
export interface EventRows {
  readonly rows: RowSet
  readonly receipt?: ReceiptKey
}

/** Identity of a receipt, and where to look for it. */
export interface ReceiptKey {
  readonly brand: string
  readonly memberId: string
  readonly receiptId: string
}

const versionMax = 2n ** 63n - 1n

/** Rows of a message of the stream EVENTS. Throws MalformedMessage. */
export function eventRows(data: Uint8Array, origin: Origin): EventRows {
  const event = decodeEvent(data)
  const rows: RowSet = new Map()
  const payload = event.payload
  switch (payload?.$case) {
    case 'receipt':
      addReceipt(rows, event, payload.value, origin)
      return {
        rows,
        receipt: { brand: event.brand, memberId: payload.value.memberId, receiptId: payload.value.receiptId },
      }
    case 'account':
      addAccount(rows, event, payload.value)
      break
    case 'member':
      addMember(rows, event, payload.value)
      break
    case 'pass':
      addPass(rows, event, payload.value)
      break
    case 'fetches':
      addFetches(rows, event, payload.value, origin)
      break
    case 'campaign':
      addCampaign(rows, event, payload.value)
      break
    default:
      break
  }
  return { rows }
}

function decodeEvent(data: Uint8Array): Event {
  try {
    const event = Event.decode(data)
    if (event.brand === '') throw new MalformedMessage('the event has no brand')
    if (event.aggregateVersion < 0n || event.aggregateVersion > versionMax)
      throw new MalformedMessage('aggregate_version is out of range')
    return event
  } catch (error) {
    if (error instanceof MalformedMessage) throw error
    throw new MalformedMessage('not an Event', { cause: error })
  }
}

function addReceipt(rows: RowSet, event: Event, receipt: ReceiptState, origin: Origin): void {
  if (receipt.receiptId === '') throw new MalformedMessage('receipt_id is missing')
  if (receipt.kind !== 'sale' && receipt.kind !== 'return')
    throw new MalformedMessage('kind is neither sale nor return')
  if (!receipt.occurredAt) throw new MalformedMessage('occurred_at is missing')
  const occurredAt = instantCell(receipt.occurredAt)
  const key = [event.brand, receipt.memberId, occurredAt, receipt.receiptId] as const
  addRow(rows, 'receipts', [
    ...key,
    receipt.kind,
    receipt.storeId,
    receipt.tillId,
    receipt.number,
    String(receipt.totalMinor),
    String(receipt.pointsEarned),
    String(receipt.pointsSpent),
    receipt.lines.length,
    receipt.originalReceiptId,
    origin.source,
    origin.sequence,
  ])
  receipt.lines.forEach((line, index) => {
    const amounts = [String(line.quantity), String(line.amountMinor)]
    addRow(rows, 'receipt_lines', [
      ...key,
      index,
      receipt.kind,
      line.sku,
      line.category,
      ...amounts,
      origin.source,
      origin.sequence,
    ])
  })
}

function addAccount(rows: RowSet, event: Event, account: AccountState): void {
  const { memberId, available, pending, held, debt, lifetimeEarned } = account
  const points = [available, pending, held, debt, lifetimeEarned].map(String)
  addRow(rows, 'accounts', [event.brand, memberId, String(event.aggregateVersion), ...points])
}

function addMember(rows: RowSet, event: Event, member: MemberState): void {
  const enrolledAt = member.enrolledAt ?? event.eventTime ?? event.recordedAt
  if (!enrolledAt) throw new MalformedMessage('enrolled_at is missing')
  const version = String(event.aggregateVersion)
  const { memberId, status, locale, marketingConsent, storeId } = member
  addRow(rows, 'members', [
    event.brand,
    memberId,
    version,
    status,
    locale,
    marketingConsent,
    instantCell(enrolledAt),
    storeId,
  ])
}

function addPass(rows: RowSet, event: Event, pass: PassState): void {
  const { no, memberId, devices, googleObject } = pass
  if (no < 0n) throw new MalformedMessage('no is negative')
  addRow(rows, 'passes', [
    event.brand,
    String(no),
    String(event.aggregateVersion),
    memberId,
    Math.max(devices, 0),
    googleObject,
  ])
}

function addFetches(rows: RowSet, event: Event, fetches: PassFetches, origin: Origin): void {
  const { no, campaignId, fetchedAtMs, changedAtMs, device, version, pushedAtMs } = fetches
  const columns = [campaignId, fetchedAtMs, changedAtMs]
  // Events of before these columns were added hold none of them.
  const added = [device, version, pushedAtMs].filter((column) => column.length > 0)
  if ([...columns, ...added].some((column) => column.length !== no.length))
    throw new MalformedMessage('columns of fetches differ in length')
  no.forEach((passNo, index) => {
    if (passNo < 0n) throw new MalformedMessage('no is negative')
    const instants = [fetchedAtMs[index] ?? 0n, changedAtMs[index] ?? 0n].map(millisecondsCell)
    addRow(rows, 'fetches', [
      event.brand,
      campaignId[index] ?? '',
      String(passNo),
      ...instants,
      Buffer.from(device[index] ?? []).toString('hex'),
      String(version[index] ?? 0n),
      pushedAtMs[index] === undefined || pushedAtMs[index] === 0n ? null : millisecondsCell(pushedAtMs[index]),
      origin.source,
      origin.sequence,
    ])
  })
}

function addCampaign(rows: RowSet, event: Event, campaign: CampaignState): void {
  const { campaignId, name, status, campaignSeq, audience, chunks } = campaign
  if (campaignSeq < 0n || audience < 0n || chunks < 0) throw new MalformedMessage('a counter is negative')
  addRow(rows, 'campaigns', [
    event.brand,
    campaignId,
    String(event.aggregateVersion),
    name,
    status,
    String(campaignSeq),
    String(audience),
    chunks,
  ])
}
