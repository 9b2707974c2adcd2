// Our client as one process on one core. `--without-table` before the flags of a load: no table for response headers.
import { cpuSeconds } from '../peers/drive.ts'
import { type ClientResult, readLoad } from '../peers/load.ts'
import { Sender } from './sender.ts'

/** Pushes kept queued, so that no connection ever waits for the producer. */
const BACKLOG = 20_000

const withoutTable = process.argv[2] === '--without-table'
if (withoutTable) process.argv.splice(2, 1)
const load = readLoad()
await using sender = new Sender(load, { withoutTable })
await sender.send(load.warmup, BACKLOG)
const cpuBefore = cpuSeconds()
const startedAt = performance.now()
const { ok, failed, repeatedUnknown, reasons } = await sender.send(load.pushes, BACKLOG)
const result: ClientResult = {
  pushes: load.pushes,
  seconds: (performance.now() - startedAt) / 1000,
  cpuSeconds: cpuSeconds() - cpuBefore,
  rssMb: process.resourceUsage().maxRSS / 1024,
  ok,
  failed,
  hung: 0,
  repeatedUnknown,
  note: [...reasons].map(([reason, count]) => `${reason} ${count}`).join(', '),
}
console.log(JSON.stringify(result))
