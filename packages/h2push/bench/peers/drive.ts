import { type ClientResult, type Load, tokenAt } from './load.ts'

/** Sends one push and tells when it is known whether it was accepted. */
export type Push = (token: string, done: (isAccepted: boolean) => void) => void

/** Without any outcome for so long, what is still open counts as hung. */
const stuckAfterMs = 20_000

interface Tally {
  ok: number
  failed: number
  hung: number
}

/** Keeps `connections * streams` pushes in flight: first the warm-up, then what is measured. Prints the result. */
export async function drive(load: Load, push: Push): Promise<void> {
  const window = load.connections * load.streams
  await send(push, 0, load.warmup, window)
  const cpuBefore = cpuSeconds()
  const startedAt = performance.now()
  const tally = await send(push, load.warmup, load.pushes, window)
  const result: ClientResult = {
    pushes: load.pushes,
    seconds: (performance.now() - startedAt) / 1000,
    cpuSeconds: cpuSeconds() - cpuBefore,
    rssMb: process.resourceUsage().maxRSS / 1024,
    ...tally,
  }
  console.log(JSON.stringify(result))
  process.exit(0)
}

/** User and system time of this process so far. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

function send(push: Push, first: number, count: number, window: number): Promise<Tally> {
  const tally: Tally = { ok: 0, failed: 0, hung: 0 }
  if (count === 0) return Promise.resolve(tally)
  const { promise, resolve } = Promise.withResolvers<Tally>()
  let started = 0
  let lastEnded = 0
  let isStarting = false
  const watchdog = setInterval(() => {
    const ended = tally.ok + tally.failed
    if (ended === lastEnded) resolve({ ...tally, hung: count - ended })
    lastEnded = ended
  }, stuckAfterMs)
  const start = (): void => {
    // A push may fail before it returns: without the flag a dead connection would recurse once per push.
    if (isStarting) return
    isStarting = true
    while (started < count && started - tally.ok - tally.failed < window) {
      started += 1
      push(tokenAt(first + started - 1), done)
    }
    isStarting = false
  }
  const done = (isAccepted: boolean): void => {
    if (isAccepted) tally.ok += 1
    else tally.failed += 1
    if (tally.ok + tally.failed === count) resolve(tally)
    else start()
  }
  start()
  return promise.finally(() => clearInterval(watchdog))
}
