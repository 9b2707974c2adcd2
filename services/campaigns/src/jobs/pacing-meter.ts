import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '@stampede/platform'
import type { Context } from '../context.ts'
import { windowPhones } from '../domain/pacing.ts'
import { readLoads } from '../store/chunks.ts'

const everyMs = 5_000

/** Keeps the gauges of the pacing; every replica does, so that none goes stale when another leads. */
export function startPacingMeter(context: Context, logger: Logger): AsyncDisposable {
  const stop = new AbortController()
  const running = run(context, logger, stop.signal)
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      await running
    },
  }
}

async function run(context: Context, logger: Logger, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await measurePacing(context)
    } catch (error) {
      logger.warn({ err: error }, 'the load of campaigns cannot be read, trying again')
    }
    await sleep(everyMs, undefined, { signal }).catch(() => undefined)
  }
}

/** One look at what is on the way. */
export async function measurePacing({ database, clock, capacity, metrics }: Context): Promise<void> {
  metrics.setPacing(windowPhones(capacity.totalPerSecond()), await readLoads(database, clock.now()))
}
