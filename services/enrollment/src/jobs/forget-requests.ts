import type { Logger } from '@stampede/platform'
import type { Context } from '../context.ts'
import { forgetRequests } from '../store/requests.ts'

/** How long a repeated request is known. */
export const REQUEST_KEPT_DAYS = 400

const DAY_MS = 86_400_000
const INTERVAL_MS = 3_600_000
const BATCH_ROWS = 5_000
const BATCHES_MAX = 200

/** Deletes idempotency records older than 400 days, in small batches; returns how many. */
export async function forgetOldRequests({ database, clock }: Pick<Context, 'database' | 'clock'>): Promise<number> {
  const before = new Date(clock.nowMs() - REQUEST_KEPT_DAYS * DAY_MS)
  let total = 0
  for (let batch = 0; batch < BATCHES_MAX; batch++) {
    const gone = await forgetRequests(database, before, BATCH_ROWS)
    total += gone
    if (gone < BATCH_ROWS) break
  }
  return total
}

/** Runs forgetOldRequests each hour until disposed. */
export function startForgettingRequests(context: Context, logger: Logger): AsyncDisposable {
  let running: Promise<void> = Promise.resolve()
  const run = async (): Promise<void> => {
    try {
      await forgetOldRequests(context)
    } catch (error) {
      logger.warn({ err: error }, 'old idempotency records were not deleted; next try in an hour')
    }
  }
  const timer = setInterval(() => {
    running = running.then(run)
  }, INTERVAL_MS)
  timer.unref()
  return {
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer)
      await running
    },
  }
}
