import type { Handlers } from '@stampede/platform'
import type { LedgerServiceService } from '@stampede/proto/ledger/v1'
import type { ParkedReturnServiceService } from '@stampede/proto/parked/v1'
import type { StampCardServiceService } from '@stampede/proto/stamps/v1'
import type { LedgerContext } from '../context.ts'
import { cancelHold } from './cancel-hold.ts'
import { commitHold } from './commit-hold.ts'
import { createHold } from './create-hold.ts'
import { getBalance } from './get-balance.ts'
import { getProgramme } from './get-programme.ts'
import { getReceipt } from './get-receipt.ts'
import { listHistory } from './list-history.ts'
import { listParkedReturns } from './list-parked-returns.ts'
import { listStampCards } from './list-stamp-cards.ts'
import { postReceipt } from './post-receipt.ts'
import { postReceiptBatch } from './post-receipt-batch.ts'
import { putProgramme } from './put-programme.ts'
import { quoteReceipt } from './quote-receipt.ts'
import { returnReceipt } from './return-receipt.ts'
import { syncReceipts } from './sync-receipts.ts'

/** All methods about returns that wait for their sales over one context. */
export function parkedHandlers(context: LedgerContext): Handlers<typeof ParkedReturnServiceService> {
  return { listParkedReturns: (request) => listParkedReturns(context, request) }
}

/** All methods about stamp cards over one context. */
export function stampHandlers(context: LedgerContext): Handlers<typeof StampCardServiceService> {
  return { listStampCards: (request) => listStampCards(context, request) }
}

/** All methods of the ledger over one context. */
export function ledgerHandlers(context: LedgerContext): Handlers<typeof LedgerServiceService> {
  return {
    putProgramme: (request) => putProgramme(context, request),
    getProgramme: (request) => getProgramme(context, request),
    quoteReceipt: (request) => quoteReceipt(context, request),
    getReceipt: (request) => getReceipt(context, request),
    postReceipt: (request, call) => postReceipt(context, request, call),
    postReceiptBatch: (request, call) => postReceiptBatch(context, request, call),
    returnReceipt: (request, call) => returnReceipt(context, request, call),
    syncReceipts: (requests) => syncReceipts(context, requests),
    createHold: (request, call) => createHold(context, request, call),
    commitHold: (request, call) => commitHold(context, request, call),
    cancelHold: (request, call) => cancelHold(context, request, call),
    getBalance: (request) => getBalance(context, request),
    listHistory: (request) => listHistory(context, request),
  }
}
