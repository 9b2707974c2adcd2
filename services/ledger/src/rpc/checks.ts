import { createHash } from 'node:crypto'
import {
  type BrandInfo,
  type Clock,
  checkBigint,
  checkBrand,
  checkInt,
  checkList,
  checkPresent,
  checkText,
  checkUuid,
  invalidArgument,
  notFound,
} from '@stampede/platform'
import type { ReceiptLine, ReturnLine } from '@stampede/proto/ledger/v1'
import type { LedgerContext } from '../context.ts'
import type { SaleLine } from '../domain/programme.ts'
import type { ReturnedLine } from '../domain/return.ts'

/** Characters of a store, till or receipt number at most. */
export const NUMBER_CHARACTERS_MAX = 64
/** Characters of why somebody did something by hand at most. */
export const REASON_CHARACTERS_MAX = 500
/** Tags of a receipt at most, and their characters. */
export const TAGS_MAX = 20
export const TAG_CHARACTERS_MAX = 40
/** Ids that brands choose. */
export const idPattern = /^[a-z0-9-]+$/
/** Characters of who bears a cost at most. */
export const FUNDER_CHARACTERS_MAX = 40
/** Points of one command at most; sums of all accounts stay within int64. */
export const POINTS_MAX = 1_000_000_000_000n
/** Lines of a sale or return at most. */
export const LINES_MAX = 1_000

const QUANTITY_MAX = 1_000_000n
const AMOUNT_MINOR_MAX = 1_000_000_000_000n
/** Characters of a SKU or category at most. */
export const SKU_CHARACTERS_MAX = 64
/** In every zone within 1970. */
const EARLIEST_MS = 86_400_000
/** A till's clock may be this far ahead of ours. */
const CLOCK_SKEW_MS = 86_400_000

/** The brand if it is there. */
export function brandOf(context: Pick<LedgerContext, 'brands'>, slug: string): BrandInfo {
  const brand = context.brands.get(checkBrand(slug))
  if (brand === undefined) throw notFound()
  return brand
}

/** Business time of a till, in Unix milliseconds: from 2 January 1970 to a day ahead. */
export function checkOccurredAt(value: Date | undefined, field: string, clock: Clock): number {
  const atMs = checkPresent(value, field).getTime()
  if (Number.isNaN(atMs) || atMs < EARLIEST_MS) throw invalidArgument(field, 'must not be before 2 January 1970')
  if (atMs > clock.nowMs() + CLOCK_SKEW_MS) throw invalidArgument(field, 'must not be more than a day ahead')
  return atMs
}

/** Lines of a sale or quote. */
export function checkLines(lines: readonly ReceiptLine[], field: string, max: number): readonly SaleLine[] {
  return checkList(lines, field, { min: 1, max }).map((line, index) => {
    const at = `${field}[${index}]`
    return {
      sku: checkText(line.sku, `${at}.sku`, { min: 1, max: SKU_CHARACTERS_MAX }),
      quantity: checkBigint(line.quantity, `${at}.quantity`, { min: 1n, max: QUANTITY_MAX }),
      amountMinor: checkBigint(line.amountMinor, `${at}.amount_minor`, { min: 0n, max: AMOUNT_MINOR_MAX }),
      category: checkText(line.category, `${at}.category`, { max: SKU_CHARACTERS_MAX }),
    }
  })
}

/** Lines of a return. */
export function checkReturnLines(lines: readonly ReturnLine[], field: string): readonly ReturnedLine[] {
  return checkList(lines, field, { min: 1, max: LINES_MAX }).map((line, index) => {
    const at = `${field}[${index}]`
    return {
      lineIndex: checkInt(line.lineIndex, `${at}.line_index`, { min: 0, max: LINES_MAX - 1 }),
      quantity: checkBigint(line.quantity, `${at}.quantity`, { min: 1n, max: QUANTITY_MAX }),
    }
  })
}

const PAGE_SIZE_MAX = 500
const PAGE_SIZE_DEFAULT = 50

/** How many of a page are asked for. */
export function checkPageSize(pageSize: number): number {
  const asked = checkInt(pageSize, 'page_size', { min: 0, max: PAGE_SIZE_MAX })
  return asked === 0 ? PAGE_SIZE_DEFAULT : asked
}

/** Which page of a list by id is asked for; its token is the last id of the page before. */
export function checkPage({ pageSize, pageToken }: { readonly pageSize: number; readonly pageToken: string }) {
  return {
    limit: checkPageSize(pageSize),
    afterId: pageToken === '' ? null : checkUuid(pageToken, 'page_token'),
  }
}

/** A text that is one of a few; the empty one stands for the default and is not told. */
export function checkOneOf(text: string, at: string, allowed: readonly string[]): void {
  if (!allowed.includes(text))
    throw invalidArgument(at, `must be one of ${allowed.filter((one) => one !== '').join(', ')}`)
}

/** What tells a repeated request from another one: SHA-256 over its kind and its encoding without the key. */
export function fingerprint(kind: string, encoded: Uint8Array): Buffer {
  return createHash('sha256').update(kind).update('\0').update(encoded).digest()
}
