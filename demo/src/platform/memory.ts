import { count, type Teller } from '../story/say.ts'
import type { RunningPlatform } from './start.ts'
import { peakMemoryOf } from './supervisor.ts'

/** Prints the peak resident memory of each process that we started. */
export function tellMemory(teller: Teller, platform: RunningPlatform): void {
  const mebibytes = (bytes: number): string => (bytes === 0 ? '-' : `${count(Math.round(bytes / 2 ** 20))} MiB`)
  const rows = [
    { name: 'story', pid: process.pid, peakBytes: peakMemoryOf(process.pid) },
    ...platform.serverPids.map(({ name, pid }) => ({ name, pid, peakBytes: peakMemoryOf(pid) })),
    ...platform.supervisor.memory(),
  ]
  teller.line('')
  teller.table([
    ['process', 'pid', 'peak memory'],
    ...rows.map(({ name, pid, peakBytes }) => [name, String(pid), mebibytes(peakBytes)]),
  ])
}
