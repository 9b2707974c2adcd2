import { type Clock, type Database, idempotencyConflict, type Sql } from '@stampede/platform'
import { utcMonth } from '../domain/calendar.ts'
import { insertAnswers, readAnswers } from './idempotency.ts'
import type { Months } from './months.ts'

/** A writing request outside of the flush. */
export interface OnceRequest {
  readonly brand: string
  readonly key: string
  /** SHA-256 over the method and the request without its key. */
  readonly bodyHash: Buffer
  readonly method: string
}

/** What a request came to. */
export interface OnceAnswer {
  /** Encoded response message. */
  readonly response: Uint8Array
  readonly causeId: string | null
}

/**
 * Does a request in a transaction of its own, once per idempotency key: a repeat gets the stored answer, the same key with
 * another body IDEMPOTENCY_CONFLICT. Requests of one key wait for each other. What `run` throws undoes all of it.
 */
export async function answerOnce(
  { database, clock, months }: { readonly database: Database; readonly clock: Clock; readonly months: Months },
  { brand, key, bodyHash, method }: OnceRequest,
  run: (tx: Sql, now: Date) => Promise<OnceAnswer>,
): Promise<Uint8Array> {
  await months.ensure(database, [{ table: 'idempotency', month: utcMonth(clock.nowMs()) }])
  return database.transaction(async (tx) => {
    await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('ledger.key.' || $1 || '/' || $2, 0))`, [brand, key])
    const [answered] = await readAnswers(tx, [{ brand, key }])
    if (answered !== undefined) {
      if (!answered.bodyHash.equals(bodyHash)) throw idempotencyConflict()
      return answered.response
    }
    const now = clock.now()
    const { response, causeId } = await run(tx, now)
    await insertAnswers(tx, [{ brand, key, bodyHash, response, method, causeId, createdAtMs: now.getTime() }])
    return response
  })
}
