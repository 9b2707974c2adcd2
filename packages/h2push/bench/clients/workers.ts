// Our client in two worker threads, each with half of the connections: shows whether workers pay on this machine.
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { cpuSeconds } from '../peers/drive.ts'
import { type ClientResult, readLoad } from '../peers/load.ts'
import { Sender, type Tally } from './sender.ts'

const WORKERS = 2
const BACKLOG = 20_000
const load = readLoad()
const share = {
  ...load,
  connections: Math.ceil(load.connections / WORKERS),
  warmup: Math.ceil(load.warmup / WORKERS),
  pushes: Math.ceil(load.pushes / WORKERS),
}

if (isMainThread) await lead()
else await follow()

/** Starts the workers together twice: for the warm-up and for what is measured. */
async function lead(): Promise<void> {
  const workers = Array.from(
    { length: WORKERS },
    () => new Worker(import.meta.filename, { argv: process.argv.slice(2) }),
  )
  await Promise.all(workers.map((worker) => message(worker)))
  const cpuBefore = cpuSeconds()
  const startedAt = performance.now()
  for (const worker of workers) worker.postMessage('go')
  const tallies = (await Promise.all(workers.map((worker) => message(worker)))) as readonly Tally[]
  const result: ClientResult = {
    pushes: share.pushes * WORKERS,
    seconds: (performance.now() - startedAt) / 1000,
    cpuSeconds: cpuSeconds() - cpuBefore,
    rssMb: process.resourceUsage().maxRSS / 1024,
    ok: tallies.reduce((sum, { ok }) => sum + ok, 0),
    failed: tallies.reduce((sum, { failed }) => sum + failed, 0),
    hung: 0,
  }
  console.log(JSON.stringify(result))
}

async function follow(): Promise<void> {
  await using sender = new Sender(share)
  await sender.send(share.warmup, BACKLOG)
  const go = new Promise((resolve) => parentPort?.once('message', resolve))
  parentPort?.postMessage('warm')
  await go
  parentPort?.postMessage(await sender.send(share.pushes, BACKLOG))
}

function message(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
}
