// Our client with a million pushes queued for as long as there are that many left: prints its resident memory at each
// further million sent.
import { readFileSync } from 'node:fs'
import { readLoad } from '../peers/load.ts'
import { Sender } from './sender.ts'

const QUEUED = 1_000_000
const SAMPLE_EVERY = 1_000_000

/** Resident memory now, in MB. */
function rssMb(): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) / 1024
}

const load = readLoad()
await using sender = new Sender(load)
await sender.send(load.warmup, load.warmup)
const idleMb = rssMb()
const samplesMb: number[] = []
const { ok, failed } = await sender.send(load.pushes, QUEUED, (ended) => {
  if (ended >= (samplesMb.length + 1) * SAMPLE_EVERY) samplesMb.push(rssMb())
})
const maxMb = process.resourceUsage().maxRSS / 1024
console.log(JSON.stringify({ pushes: load.pushes, ok, failed, idleMb, samplesMb, maxMb }))
