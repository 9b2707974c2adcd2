import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock, Database, Logger } from '@stampede/platform'
import type { LedgerMetrics } from '../metrics.ts'
import { deleteOldAnswers } from '../store/idempotency.ts'

/** Accounts of one transaction at most. */
const SWEEP_ACCOUNTS_MAX = 200
/** Answers deleted in one statement at most. */
const DELETE_ANSWERS_MAX = 5_000

/** What the sweeper works with. */
export interface SweeperOptions {
  /** Posts what time has done to up to so many accounts; answers how many it took. */
  readonly sweep: (limit: number) => Promise<number>
  readonly database: Database
  readonly clock: Clock
  readonly intervalMs: number
  readonly logger: Logger
  readonly metrics: LedgerMetrics
  /** Called after each transaction. */
  readonly onSwept: () => void
}

/**
 * Ends points and holds whose time is over and forgets answers that were kept long enough. Nothing depends on it being
 * in time: decisions and balances look at the clock themselves. Any number of replicas may run it.
 */
export function startSweeper(options: SweeperOptions): AsyncDisposable {
  const stopping = new AbortController()
  const running = run(options, stopping.signal)
  return {
    [Symbol.asyncDispose]: async () => {
      stopping.abort()
      await running
    },
  }
}

async function run(options: SweeperOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await pass(options, signal)
    } catch (error) {
      options.metrics.sweepFailures.inc()
      options.logger.warn({ err: error }, 'sweeping failed, trying again')
    }
    await sleep(options.intervalMs, undefined, { signal }).catch(() => undefined)
  }
}

async function pass(options: SweeperOptions, signal: AbortSignal): Promise<void> {
  let swept = SWEEP_ACCOUNTS_MAX
  while (swept === SWEEP_ACCOUNTS_MAX && !signal.aborted) {
    swept = await options.sweep(SWEEP_ACCOUNTS_MAX)
    if (swept > 0) options.onSwept()
    options.metrics.sweptAccounts.inc(swept)
  }
  let deleted = DELETE_ANSWERS_MAX
  while (deleted === DELETE_ANSWERS_MAX && !signal.aborted) {
    deleted = await deleteOldAnswers(options.database, options.clock.now(), DELETE_ANSWERS_MAX)
  }
}
