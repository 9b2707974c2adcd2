/** A closed loop: so many callers, each of which waits for its answer before it asks again. */
export interface LoadOptions {
  readonly callers: number
  readonly warmupSeconds: number
  readonly seconds: number
  /** One unit of work; what it throws ends the run. */
  readonly call: (index: number) => Promise<void>
}

/** What the callers saw, the warm-up left out. */
export interface LoadResult {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Runs a closed loop. */
export async function closedLoop({ callers, warmupSeconds, seconds, call }: LoadOptions): Promise<LoadResult> {
  const begunMs = performance.now()
  const countFromMs = begunMs + warmupSeconds * 1_000
  const endMs = countFromMs + seconds * 1_000
  const latencies: number[] = []
  let next = 0
  const caller = async (): Promise<void> => {
    for (let startMs = performance.now(); startMs < endMs; startMs = performance.now()) {
      await call(next++)
      const nowMs = performance.now()
      if (nowMs >= countFromMs && nowMs < endMs) latencies.push(nowMs - startMs)
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  latencies.sort((left, right) => left - right)
  const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? 0
  return { perSecond: latencies.length / seconds, p50Ms: at(0.5), p99Ms: at(0.99) }
}
