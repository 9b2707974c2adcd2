import { setTimeout as delay } from 'node:timers/promises'
import { StampedeError } from '@stampede/platform'

const pauseMs = 250
const persistMs = 120_000

/** Asks until `done`; throws when that takes longer than `timeoutMs`. */
export async function waitUntil<T>(
  what: string,
  timeoutMs: number,
  ask: () => Promise<T>,
  done: (answer: T) => boolean,
): Promise<T> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const answer = await persist(what, ask)
    if (done(answer)) return answer
    if (Date.now() > deadline) throw new Error(`${what}: not there after ${Math.round(timeoutMs / 1000)} s`)
    await delay(pauseMs)
  }
}

/** Repeats a call that is safe to repeat while the other side is away; at most two minutes. Throws an Error whose cause is the call's. */
export async function persist<T>(what: string, call: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + persistMs
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (!isAway(error) || Date.now() > deadline) throw new Error(`${what}: ${messageOf(error)}`, { cause: error })
      await delay(pauseMs)
    }
  }
}

/** Whether an error says that the other side is away and may come back. */
export function isAway(error: unknown): boolean {
  // CANCELLED is what a stream ends with when its server stops: the story itself cancels nothing.
  return error instanceof StampedeError && (error.retryable || error.code === 'CANCELLED')
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Runs `work` over the items, at most `width` at a time, in their order of start. */
export async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const index = next
      next += 1
      const item = items[index]
      if (item !== undefined) await work(item, index)
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane))
}

/** Cuts a list into parts of at most `size`. */
export function chunksOf<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  )
}
