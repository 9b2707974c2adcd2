/** One line of a sale. */
export interface SaleLine {
  readonly sku: string
  /** Pieces, at least 1. */
  readonly quantity: number
  /** Value of the whole line in minor units; 0 for a free line. */
  readonly amountMinor: bigint
  readonly category: string
}

/** A sale as the till printed it. */
export interface Sale {
  readonly kind: 'sale'
  /** Natural number of the receipt, unique per customer and till. */
  readonly number: string
  readonly customer: string
  readonly storeId: string
  readonly occurredAt: Date
  readonly lines: readonly SaleLine[]
  /** Share of the receipt, in percent, that the customer wishes to pay by points; 0 for none. */
  readonly payByPointsPercent: number
}

/** A return of lines of one earlier sale. */
export interface Return {
  readonly kind: 'return'
  /** Natural id of the return, unique in the brand. */
  readonly returnId: string
  readonly customer: string
  readonly occurredAt: Date
  /** Index of the sale in the history's `sales`. */
  readonly saleIndex: number
  readonly lines: readonly { readonly lineIndex: number; readonly quantity: number }[]
}

/** A customer as the source knows it. Names are empty where the source has none: nothing is invented. */
export interface Customer {
  readonly reference: string
  readonly firstName: string
  readonly lastName: string
  readonly locale: string
  readonly storeId: string
}

/** Why a row did not become a part of a receipt. */
export interface RejectedRow {
  /** Line of the file, from 1; the header is line 1. */
  readonly line: number
  readonly reason: string
}

/** What the story is told with: members and their purchases, oldest first. */
export interface PurchaseHistory {
  readonly customers: readonly Customer[]
  readonly sales: readonly Sale[]
  readonly returns: readonly Return[]
  readonly rejected: readonly RejectedRow[]
  readonly totals: HistoryTotals
}

/** Figures that can be checked against the file. */
export interface HistoryTotals {
  /** Data lines read, without the header. */
  readonly linesRead: number
  readonly receipts: number
  /** Customers with at least one receipt: those who are enrolled. */
  readonly customers: number
  /** Customers that the file names at all, with those who only returned. */
  readonly customersNamed: number
  /** Sum of all lines of sales, in minor units, before returns. */
  readonly revenueMinor: bigint
  /** Cancelling lines for which an earlier sale was found. */
  readonly cancellationsMatched: number
  readonly cancellationsUnmatched: number
  /** Lines with price 0 that are part of a receipt. */
  readonly freeLines: number
}
