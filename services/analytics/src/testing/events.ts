import { uuidv7 } from '@stampede/platform'
import { Event, type ReceiptState } from '@stampede/proto/events/v1'

/** A test's receipt; everything not given is filled in. */
export type ReceiptInput = Partial<ReceiptState> & { readonly memberId: string; readonly occurredAt: Date }

type Payload = NonNullable<Event['payload']>

/** An encoded event of the brand. */
export function encodeEvent(brand: string, aggregateVersion: bigint, payload: Payload): Uint8Array {
  const id = uuidv7()
  return Event.encode(
    Event.fromPartial({
      id,
      brand,
      aggregateKind: payload.$case,
      aggregateId: id,
      aggregateVersion,
      eventTime: new Date(),
      recordedAt: new Date(),
      payload,
    }),
  ).finish()
}

/** An encoded receipt: a sale of 10.00 with one line unless told otherwise. */
export function receiptEvent(brand: string, input: ReceiptInput): Uint8Array {
  const totalMinor = input.totalMinor ?? 1_000n
  const value: ReceiptState = {
    receiptId: uuidv7(),
    kind: 'sale',
    storeId: 's-1',
    tillId: 't-1',
    number: '1',
    totalMinor,
    currency: 'GBP',
    pointsEarned: totalMinor / 20n,
    pointsSpent: 0n,
    lines: [{ sku: 'sku-1', quantity: 1n, amountMinor: totalMinor, category: '' }],
    originalReceiptId: '',
    ...input,
  }
  return encodeEvent(brand, 1n, { $case: 'receipt', value })
}

/** An encoded member. */
export function memberEvent(brand: string, memberId: string, version = 1n, status = 'active'): Uint8Array {
  return encodeEvent(brand, version, {
    $case: 'member',
    value: {
      memberId,
      cardNumber: '4000000000000002',
      status,
      locale: 'en-GB',
      marketingConsent: true,
      sealedFirstName: undefined,
      enrolledAt: new Date('2020-01-01T00:00:00Z'),
      storeId: '',
    },
  })
}

/** An encoded pass. */
export function passEvent(brand: string, memberId: string, no: bigint, devices = 1, version = 1n): Uint8Array {
  return encodeEvent(brand, version, {
    $case: 'pass',
    value: { memberId, serial: `serial-${no}`, no, cardNumber: '', devices, googleObject: false, googleSaved: false },
  })
}
