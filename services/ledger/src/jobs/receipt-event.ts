import type { Event } from '@stampede/proto/events/v1'

/** A receipt as its event tells it. */
export type ReceiptEvent = Event & { readonly payload: Extract<Event['payload'], { $case: 'receipt' }> }

/** Whether an event tells of a receipt. */
export function isReceipt(event: Event): event is ReceiptEvent {
  return event.payload?.$case === 'receipt'
}

/** The sale that a receipt is, or that it returns a part of. */
export function saleIdOf({ payload: { value } }: ReceiptEvent): string {
  return value.kind === 'return' ? value.originalReceiptId : value.receiptId
}
