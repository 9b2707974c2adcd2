import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock, Database, Logger } from '@stampede/platform'
import type { LedgerMetrics } from '../metrics.ts'
import { type Retention, retireMonths } from '../store/retention.ts'

/** Accounts of one transaction at most. */
const SWEEP_ACCOUNTS_MAX = 200

/** What the sweeper works with. */
export interface SweeperOptions {
  /** Posts what time has done to up to so many accounts; answers how many it took. */
  readonly sweep: (limit: number) => Promise<number>
  /** For retention: its statements may take minutes. */
  readonly database: Database
  readonly clock: Clock
  readonly intervalMs: number
  readonly logger: Logger
  readonly metrics: LedgerMetrics
  readonly retention: Retention
  /** Called after each transaction. */
  readonly onSwept: () => void
}

/**
 * Ends points and holds whose time is over and takes away months that were kept long enough. Nothing depends on it being
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
  while (swept >= SWEEP_ACCOUNTS_MAX && !signal.aborted) {
    swept = await options.sweep(SWEEP_ACCOUNTS_MAX)
    if (swept > 0) options.onSwept()
    options.metrics.sweptAccounts.inc(swept)
  }
  const retired = await retireMonths(options.database, options.clock.now(), options.retention)
  for (const { table, month } of retired) options.logger.info({ table, month }, 'an old month was taken away')
}
