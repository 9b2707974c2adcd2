import { readdirSync, readFileSync } from 'node:fs'

const NANOS_PER_SECOND = 1e9
const KIB_PER_MB = 1_000

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
