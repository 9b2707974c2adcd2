import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const NANOS_PER_SECOND = 1e9
const KIB_PER_MB = 1_000
const sampleMs = 100

/** CPU time of a process so far, all its threads together, in seconds. Linux counts it in nanoseconds. */
export function cpuSecondsOf(pid: number): number {
  const nanos = readdirSync(`/proc/${pid}/task`).map((task) => {
    const [onCpu = '0'] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ')
    return Number(onCpu)
  })
  return nanos.reduce((sum, one) => sum + one, 0) / NANOS_PER_SECOND
}

/** Memory of a process now, in megabytes. */
export function rssMbOf(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
  return Number(kib ?? 0) / KIB_PER_MB
}

/** Looks at the memory of a process until it is told to stop; then says the most that it saw, in megabytes. */
export function watchRss(pid: number): () => Promise<number> {
  const stopping = new AbortController()
  const watching = (async () => {
    let most = rssMbOf(pid)
    while (!stopping.signal.aborted) {
      await sleep(sampleMs, undefined, { signal: stopping.signal }).catch(() => undefined)
      most = Math.max(most, rssMbOf(pid))
    }
    return most
  })()
  return () => {
    stopping.abort()
    return watching
  }
}
