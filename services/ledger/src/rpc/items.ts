import {
  type Clock,
  checkBigint,
  checkIdempotencyKey,
  checkList,
  checkText,
  checkUuid,
  invalidArgument,
} from '@stampede/platform'
import { type GiftCardPayment, PostReceiptRequest, ReturnReceiptRequest } from '@stampede/proto/ledger/v1'
import { monthOf } from '../domain/calendar.ts'
import { normalizeCode } from '../domain/coupons/codes.ts'
import type { CardPaymentAsked, Item } from '../flush/item.ts'
import {
  checkLines,
  checkOccurredAt,
  checkReturnLines,
  fingerprint,
  LINES_MAX,
  NUMBER_CHARACTERS_MAX,
  POINTS_MAX,
  TAG_CHARACTERS_MAX,
  TAGS_MAX,
} from './checks.ts'

const dayPattern = /^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$/
/** Coupons of a receipt at most. */
const COUPONS_MAX = 10
/** Gift cards of a receipt at most. */
const GIFT_CARDS_MAX = 10
/** Characters of a return_id at most. */
const RETURN_ID_CHARACTERS_MAX = 128

/** What makes an item of a request besides the request. */
export interface ItemContext {
  /** Checked slug; the item's own brand may be empty inside a batch. */
  readonly brand: string
  readonly clock: Clock
  readonly deadline: Date
  /** Put in front of field names, such as `items[3].sale.`; empty for a single request. */
  readonly prefix: string
}

/** A sale as a command. */
export function saleItem(request: PostReceiptRequest, context: ItemContext): Item {
  const { prefix, clock, deadline } = context
  const brand = sameBrand(request.brand, context)
  const idempotencyKey = checkIdempotencyKey(request.idempotencyKey, `${prefix}idempotency_key`)
  const number = { min: 1, max: NUMBER_CHARACTERS_MAX }
  const pointsToPay = checkBigint(request.pointsToPay, `${prefix}points_to_pay`, { min: 0n, max: POINTS_MAX })
  if (request.offline && request.holdId !== '') {
    throw invalidArgument(`${prefix}hold_id`, 'must be empty for a till without a connection')
  }
  if (pointsToPay > 0n && request.holdId === '' && !request.offline) {
    throw invalidArgument(`${prefix}hold_id`, 'is needed to pay with points')
  }
  const memberId = checkUuid(request.memberId, `${prefix}member_id`)
  const checked = {
    kind: 'sale',
    storeId: checkText(request.storeId, `${prefix}store_id`, number),
    tillId: checkText(request.tillId, `${prefix}till_id`, number),
    number: checkText(request.number, `${prefix}number`, number),
    occurredAtMs: checkOccurredAt(request.occurredAt, `${prefix}occurred_at`, clock),
    lines: checkLines(request.lines, `${prefix}lines`, LINES_MAX),
    holdId: request.holdId === '' ? '' : checkUuid(request.holdId, `${prefix}hold_id`),
    pointsToPay,
    isOffline: request.offline,
    ...checkDiscountAsks(request, prefix),
    giftCardPayments: checkCardPayments(request.giftCardPayments, `${prefix}gift_card_payments`),
    expectedTotalMinor: request.expectedTotalMinor,
  } as const
  // Only now: an instant out of range cannot be encoded.
  const bodyHash = fingerprint('sale', PostReceiptRequest.encode({ ...request, brand, idempotencyKey: '' }).finish())
  return { brand, memberId, idempotencyKey, bodyHash, deadlineMs: deadline.getTime(), request: checked }
}

function checkCardPayments(payments: readonly GiftCardPayment[], at: string): readonly CardPaymentAsked[] {
  const checked = checkList(payments, at, { max: GIFT_CARDS_MAX }).map(({ code, pin, amountMinor, holdId }, index) => ({
    code: normalizeCode(checkText(code, `${at}[${index}].code`, { min: 4, max: NUMBER_CHARACTERS_MAX })),
    pin: checkText(pin, `${at}[${index}].pin`, { max: NUMBER_CHARACTERS_MAX }),
    amountMinor: checkBigint(amountMinor, `${at}[${index}].amount_minor`, { min: 1n, max: POINTS_MAX }),
    holdId: holdId === '' ? '' : checkUuid(holdId, `${at}[${index}].hold_id`),
  }))
  const codes = checked.map(({ code }) => code)
  const repeated = codes.findIndex((code, index) => codes.indexOf(code) < index)
  if (repeated >= 0) throw invalidArgument(`${at}[${repeated}].code`, 'is there twice')
  return checked
}

/** Checks what a sale or quote says about its discounts. */
export function checkDiscountAsks(
  request: Pick<PostReceiptRequest, 'couponCodes' | 'tags' | 'tender' | 'couponReference'>,
  prefix: string,
) {
  const codes = checkList(request.couponCodes, `${prefix}coupon_codes`, { max: COUPONS_MAX })
  const couponCodes = codes.map((code, index) =>
    normalizeCode(checkText(code, `${prefix}coupon_codes[${index}]`, { min: 4, max: NUMBER_CHARACTERS_MAX })),
  )
  const repeated = couponCodes.findIndex((code, index) => couponCodes.indexOf(code) < index)
  if (repeated >= 0) throw invalidArgument(`${prefix}coupon_codes[${repeated}]`, 'is there twice')
  return {
    couponCodes,
    tags: checkList(request.tags, `${prefix}tags`, { max: TAGS_MAX }).map((tag, index) =>
      checkText(tag, `${prefix}tags[${index}]`, { min: 1, max: TAG_CHARACTERS_MAX }),
    ),
    tender: checkText(request.tender, `${prefix}tender`, { max: TAG_CHARACTERS_MAX }),
    couponReference: checkText(request.couponReference, `${prefix}coupon_reference`, { max: 128 }),
  }
}

/** A return as a command; its member is empty when the request does not name it, and must be filled in. */
export function returnItem(request: ReturnReceiptRequest, context: ItemContext): Item {
  const { prefix, clock, deadline } = context
  const brand = sameBrand(request.brand, context)
  const idempotencyKey = checkIdempotencyKey(request.idempotencyKey, `${prefix}idempotency_key`)
  const memberId = request.memberId === '' ? '' : checkUuid(request.memberId, `${prefix}member_id`)
  const checked = {
    kind: 'return',
    ...saleNamed(request, brand, prefix),
    returnId: checkText(request.returnId, `${prefix}return_id`, { min: 1, max: RETURN_ID_CHARACTERS_MAX }),
    occurredAtMs: checkOccurredAt(request.occurredAt, `${prefix}occurred_at`, clock),
    lines: checkReturnLines(request.lines, `${prefix}lines`),
  } as const
  const encoded = ReturnReceiptRequest.encode({ ...request, brand, idempotencyKey: '' }).finish()
  const bodyHash = fingerprint('return', encoded)
  return { brand, memberId, idempotencyKey, bodyHash, deadlineMs: deadline.getTime(), request: checked }
}

function saleNamed({ receiptId, sale }: ReturnReceiptRequest, brand: string, prefix: string) {
  if (sale === undefined) return { saleId: checkUuid(receiptId, `${prefix}receipt_id`), saleKey: undefined }
  if (receiptId !== '') throw invalidArgument(`${prefix}receipt_id`, 'must be empty with sale')
  const number = { min: 1, max: NUMBER_CHARACTERS_MAX }
  const businessDay = checkText(sale.businessDay, `${prefix}sale.business_day`, { min: 1, pattern: dayPattern })
  if (new Date(`${businessDay}T00:00:00Z`).toISOString().slice(0, 10) !== businessDay) {
    throw invalidArgument(`${prefix}sale.business_day`, 'is no day')
  }
  const saleKey = {
    brand,
    kind: 'sale',
    storeId: checkText(sale.storeId, `${prefix}sale.store_id`, number),
    tillId: checkText(sale.tillId, `${prefix}sale.till_id`, number),
    number: checkText(sale.number, `${prefix}sale.number`, number),
    businessDay,
    month: monthOf(businessDay),
  } as const
  return { saleId: '', saleKey }
}

/** The caller's scope was checked for the outer brand only, so an item must not name another one. */
function sameBrand(brand: string, context: ItemContext): string {
  if (brand === context.brand || (context.prefix !== '' && brand === '')) return context.brand
  throw invalidArgument(`${context.prefix}brand`, 'must be the brand of the batch')
}
