import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { builtClient } from '../clients/build.ts'
import { loadFlags } from '../peers/load.ts'
import { CLIENT_CPU, pinned } from '../pinned.ts'
import { place } from '../run.ts'
import { startSink } from '../sink/sink.ts'
import type { Context, Report, Scenario } from './context.ts'
import { limitGoal } from './goals.ts'

const PUSHES = 10_000_000
const PUSHES_QUICK = 6_000_000
/** From this sample on the heap has its size. */
const STEADY_FROM = 2
/** How much more than then the client may hold later. */
const GROWTH_MAX_PERCENT = 10

interface MemoryResult {
  readonly pushes: number
  readonly ok: number
  readonly idleMb: number
  /** After each further million. */
  readonly samplesMb: readonly number[]
  readonly maxMb: number
}

/** Resident memory with a million pushes queued, over ten million. */
export const memory: Scenario = {
  name: 'memory',
  run: async (context) => {
    const result = await runMemory(context)
    const { samplesMb, maxMb, idleMb, pushes, ok } = result
    const samples = samplesMb.map((mb) => mb.toFixed(0)).join(', ')
    // The last sample is left out: the queue runs empty.
    const growth = (Math.max(...samplesMb.slice(STEADY_FROM, -1)) / (samplesMb[STEADY_FROM] ?? 0) - 1) * 100
    return {
      title: 'Memory with a million pushes queued',
      text: `Connected and idle ${idleMb.toFixed(0)} MB; after each million of ${pushes / 1e6} million sent, in MB: ${samples}; highest ever ${maxMb.toFixed(0)} MB.`,
      goals: [
        limitGoal('accepted', ok, 'at least', pushes, ''),
        limitGoal('RSS, a million queued', maxMb, 'at most', 150, ' MB'),
        limitGoal('growth after the third million', growth, 'at most', GROWTH_MAX_PERCENT, ' %'),
      ],
      data: result,
    } satisfies Report
  },
}

async function runMemory({ sinkPath, certificates, isQuick }: Context): Promise<MemoryResult> {
  await using sink = await startSink({ path: sinkPath, certificates })
  const load = { ...place({ sink, certificates, connections: 4, streams: 1000 }), warmup: 10_000 }
  const flags = loadFlags({ ...load, pushes: isQuick ? PUSHES_QUICK : PUSHES })
  const [command, args] = pinned(CLIENT_CPU, process.execPath, [builtClient('memory'), ...flags])
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  return JSON.parse(await text(child.stdout)) as MemoryResult
}
