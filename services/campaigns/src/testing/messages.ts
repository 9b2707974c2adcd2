import {
  bitmapBytes,
  type Delivery,
  makeEvent,
  type OutboxMessage,
  subjects,
  uuidv7,
  withBits,
} from '@stampede/platform'
import { MemberState, PassFetches, PassState } from '@stampede/proto/events/v1'
import { PushOutcome, PushResult } from '@stampede/proto/push/v1'

/** A bitmap row with the first `count` passes. */
export function firstPasses(count: number): Uint8Array {
  return withBits(
    new Uint8Array(bitmapBytes),
    Array.from({ length: count }, (_, index) => index),
  )
}

/** A push result of a part; everything not given is accepted at `atMs`. */
export interface ResultInput {
  readonly brand: string
  readonly campaignId: string
  /** What follows the campaign's id, such as `0/0of1`. */
  readonly place: string
  readonly passNo?: readonly bigint[]
  readonly atMs?: number
  readonly failed?: number
  readonly aborted?: number
}

/** A push result as the dispatcher reports it. */
export function pushResult(input: ResultInput): OutboxMessage {
  const { brand, campaignId, place, passNo = [], atMs = Date.now(), failed = 0, aborted = 0 } = input
  const outcomes = [
    ...passNo.map(() => PushOutcome.PUSH_OUTCOME_ACCEPTED),
    ...Array.from({ length: failed }, () => PushOutcome.PUSH_OUTCOME_DEAD_TOKEN),
    ...Array.from({ length: aborted }, () => PushOutcome.PUSH_OUTCOME_ABORTED),
  ]
  const result = PushResult.fromPartial({
    chunkId: `${campaignId}/${place}`,
    brand,
    campaignId,
    lane: 'bulk',
    outcomes,
    reasons: ['', 'Unregistered'],
    reasonIndex: outcomes.map((outcome) => (outcome === PushOutcome.PUSH_OUTCOME_DEAD_TOKEN ? 1 : 0)),
    atMs: outcomes.map(() => BigInt(atMs)),
    passNo: outcomes.map((_, index) => passNo[index] ?? 8_000n + BigInt(index)),
    deviceLibraryId: outcomes.map((_, index) => `device-${index}`),
    finishedAt: new Date(atMs),
  })
  return { subject: subjects.pushResult(brand), id: uuidv7(), payload: PushResult.encode(result).finish() }
}

/** Passes that phones took with a campaign's message. */
export function fetchesOf(
  brand: string,
  campaignId: string,
  no: readonly bigint[],
  fetchedAtMs = Date.now(),
): OutboxMessage {
  const value = {
    ...PassFetches.fromPartial({}),
    no: [...no],
    campaignId: no.map(() => campaignId),
    fetchedAtMs: no.map(() => BigInt(fetchedAtMs)),
    changedAtMs: no.map(() => 0n),
  }
  return event(brand, 'fetches', uuidv7(), 1n, { $case: 'fetches', value })
}

/** A member and the pass with the number given. */
export function cardOf(brand: string, no: bigint, change: Partial<MemberState> = {}): readonly OutboxMessage[] {
  const memberId = uuidv7()
  const member = MemberState.fromPartial({ memberId, status: 'active', marketingConsent: true, ...change })
  const pass = PassState.fromPartial({ memberId, serial: `serial-${no}`, no })
  return [
    event(brand, 'member', memberId, 1n, { $case: 'member', value: member }),
    event(brand, 'pass', pass.serial, 1n, { $case: 'pass', value: pass }),
  ]
}

function event(
  brand: string,
  aggregateKind: Parameters<typeof makeEvent>[0]['aggregateKind'],
  aggregateId: string,
  aggregateVersion: bigint,
  payload: Parameters<typeof makeEvent>[0]['payload'],
): OutboxMessage {
  const now = new Date()
  const input = { brand, aggregateKind, aggregateId, aggregateVersion, eventTime: now, schema: 'test', payload }
  return makeEvent(input, now)
}

let sequence = 0

/** The message as a consumer gives it, with a sequence of its own. */
export function delivery({ subject, payload }: OutboxMessage): Delivery {
  sequence += 1
  return { subject, data: payload, sequence, deliveries: 1, timestampMs: Date.now(), working: () => undefined }
}
