import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock, Database, Logger } from '@stampede/platform'
import type { LedgerMetrics } from '../metrics.ts'
import { claimRun, finishRun, newestRun } from '../store/verify-runs.ts'
import { type VerifyResult, verifyLedger } from '../verify.ts'

/** How often a replica looks whether a check is due, and what the newest came to. */
const lookEveryMs = 15_000
const dayMs = 86_400_000
/** How long a stop waits for a check that runs: it may need many minutes, and another replica takes it over. */
const stopGraceMs = 2_000

/** What the nightly check works with. */
export interface NightlyVerifyOptions {
  readonly database: Database
  /** Opens a connection with time for statements over all of the ledger. */
  readonly openForCheck: () => Database
  readonly clock: Clock
  /** Hour of the day in UTC, 0 to 23. */
  readonly hour: number
  readonly logger: Logger
  readonly metrics: LedgerMetrics
}

/**
 * Checks the whole ledger once a night and publishes what the newest check came to, whoever made it. Any number of
 * replicas may run it: one of them checks, all publish. A ledger that was never checked is checked at once.
 */
export function startNightlyVerify(options: NightlyVerifyOptions): AsyncDisposable {
  const stopping = new AbortController()
  const running = run(options, stopping.signal)
  return {
    [Symbol.asyncDispose]: async () => {
      stopping.abort()
      const grace = new AbortController()
      await Promise.race([running, sleep(stopGraceMs, undefined, { signal: grace.signal }).catch(() => undefined)])
      grace.abort()
    },
  }
}

async function run(options: NightlyVerifyOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await lookOnce(options)
    } catch (error) {
      options.logger.warn({ err: error }, 'the check of the ledger could not be made, trying again')
    }
    await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined)
  }
}

/** Checks when it is due, then publishes the newest result. */
export async function lookOnce(options: NightlyVerifyOptions): Promise<void> {
  const { database, clock, hour, metrics } = options
  const dueAt = lastDue(clock.nowMs(), hour)
  if (await claimRun(database, dueAt, clock.now())) await checkTonight(options, dueAt)
  const newest = await newestRun(database)
  if (newest === undefined) return
  metrics.verifyFinished.set(newest.finishedAt.getTime() / 1_000)
  metrics.verifyBroken.set(newest.invariant === '' ? 0 : 1)
  metrics.verifySeconds.set(newest.seconds)
  metrics.verifiedTransactions.set(Number(newest.transactions))
}

/** Checks the ledger and writes the result down for whoever publishes it; undefined when `dueAt` is somebody else's. */
export async function verifyAndRecord(
  database: Database,
  dueAt: Date,
  clock: Pick<Clock, 'now'>,
): Promise<VerifyResult | undefined> {
  return (await claimRun(database, dueAt, clock.now())) ? await checkClaimed(database, dueAt, clock) : undefined
}

async function checkTonight({ openForCheck, clock, logger }: NightlyVerifyOptions, dueAt: Date): Promise<void> {
  await using database = openForCheck()
  const result = await checkClaimed(database, dueAt, clock)
  if (result.ok) logger.info({ transactions: result.transactions }, 'the ledger is sound')
  else logger.error({ invariant: result.invariant, row: result.row }, 'the ledger is broken')
}

async function checkClaimed(database: Database, dueAt: Date, clock: Pick<Clock, 'now'>): Promise<VerifyResult> {
  const startedMs = performance.now()
  const result = await verifyLedger(database)
  await finishRun(database, dueAt, {
    finishedAt: clock.now(),
    invariant: result.ok ? '' : result.invariant,
    transactions: result.ok ? result.transactions : 0n,
    seconds: (performance.now() - startedMs) / 1_000,
  })
  return result
}

/** The newest instant at which a check was due. */
function lastDue(nowMs: number, hour: number): Date {
  const today = Math.floor(nowMs / dayMs) * dayMs + hour * 3_600_000
  return new Date(today <= nowMs ? today : today - dayMs)
}
