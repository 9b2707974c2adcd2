import { readFileSync } from 'node:fs'
import { arch, availableParallelism, cpus, release, totalmem } from 'node:os'

/** Share of foreign CPU time above which a run does not count. */
export const FOREIGN_SHARE_MAX = 0.06
/** Share of stolen CPU time above which a run does not count. */
export const STEAL_SHARE_MAX = 0.1
/** The kernel counts CPU time for user space in hundredths of a second, whatever its own tick is. */
const TICKS_PER_SECOND = 100
const quietLookMs = 500

/** What the rest of the machine did during a run, as shares of all its cores' time. */
export interface Disturbance {
  /** CPU time of processes that are neither client, sink nor harness. */
  readonly foreign: number
  /** Time that the host gave to other guests. */
  readonly steal: number
}

/** CPU time since boot, in seconds, over all cores. */
interface Reading {
  /** Of processes; soft interrupts are left out, as loopback's belong to whoever sends. */
  readonly processes: number
  readonly steal: number
  readonly total: number
  /** Of the given processes, and of the children of theirs that have ended. */
  readonly own: number
}

/** Starts observing; the function returned tells what happened since. `pids`: the sink's; our own is always counted. */
export function observe(pids: readonly number[]): () => Disturbance {
  const before = read(pids)
  return () => {
    const after = read(pids)
    const total = Math.max(1 / TICKS_PER_SECOND, after.total - before.total)
    const foreign = after.processes - before.processes - (after.own - before.own)
    return { foreign: Math.max(0, foreign) / total, steal: (after.steal - before.steal) / total }
  }
}

/** Whether a run counts. */
export function isClean({ foreign, steal }: Disturbance): boolean {
  return foreign <= FOREIGN_SHARE_MAX && steal <= STEAL_SHARE_MAX
}

/** Waits until the machine is quiet, `timeoutMs` at the most. */
export async function waitForQuiet(timeoutMs: number): Promise<void> {
  const deadlineAtMs = performance.now() + timeoutMs
  while (performance.now() < deadlineAtMs) {
    const happened = observe([])
    await new Promise((resolve) => setTimeout(resolve, quietLookMs))
    if (isClean(happened())) return
  }
}

function read(pids: readonly number[]): Reading {
  const columns = (/^cpu +(.*)$/m.exec(readProc('/proc/stat'))?.[1] ?? '').split(' ').map(seconds)
  const [user = 0, nice = 0, system = 0, , , , , steal = 0] = columns
  const processes = user + nice + system
  // Guest time, from the ninth column on, is part of user already.
  const total = columns.slice(0, 8).reduce((sum, value) => sum + value, 0)
  const own = [process.pid, ...pids].map(cpuSecondsOf).reduce((sum, value) => sum + value, 0)
  return { processes, steal, total, own }
}

function cpuSecondsOf(pid: number): number {
  // The name, in brackets, may hold spaces; utime, stime, cutime and cstime are fields 14 to 17.
  const fields = readProc(`/proc/${pid}/stat`).split(') ')[1]?.split(' ') ?? []
  return fields.slice(11, 15).reduce((sum, ticks) => sum + seconds(ticks), 0)
}

function seconds(ticks: string): number {
  return Number(ticks) / TICKS_PER_SECOND
}

/** Empty where there is no such file, as on systems without /proc: then nothing is ever foreign. */
function readProc(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

/** One line about the machine. */
export function describeMachine(): string {
  const memoryGb = Math.round(totalmem() / 2 ** 30)
  return `${cpus()[0]?.model ?? arch()}, ${availableParallelism()} cores, ${memoryGb} GiB, Linux ${release()}`
}
