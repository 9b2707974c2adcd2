import { seededRandom } from '@stampede/sandbox/testing'
import { type Blow, type PlannedBlow, planBlows, repeatableChunks, strike } from './blows.ts'
import { chunkIds } from './campaign.ts'
import { CampaignRig, type Finished, type RigOptions } from './campaign-rig.ts'
import { violations } from './judge.ts'

/** A campaign that is struck while it runs. */
export interface Scenario extends RigOptions {
  readonly blows: readonly Blow[]
  /** Chooses moments and victims. */
  readonly seed: number
  /** Told what happens, for a reader who waits. */
  readonly report?: (line: string) => void
}

/** How it ended. */
export interface ScenarioEnd extends Finished {
  /** Chunks that the blows may repeat. */
  readonly repeatableChunks: number
  /** What was broken; empty when every promise was kept. */
  readonly broken: readonly string[]
  /** From the first chunk to the last result. */
  readonly seconds: number
}

/** A connection is told to go after so many requests: every run has that, too. */
const GOAWAY_EVERY = 777
const PROGRESS_MS = 2_000

/** The size that tests run, or the full one. */
export function sizeOf(full: boolean): RigOptions {
  return full
    ? { recipients: 200_000, chunkSize: 1_000, perSecond: 8_000 }
    : { recipients: 20_000, chunkSize: 1_000, perSecond: 1_250 }
}

/** Runs one from start to verdict. */
export async function runScenario(scenario: Scenario): Promise<ScenarioEnd> {
  const { recipients, chunkSize, seed, report = () => undefined } = scenario
  const planned = planBlows(scenario.blows, recipients, seededRandom(seed))
  await using rig = await CampaignRig.start(scenario)
  report(`${rig.campaigns.length} brands, ${recipients} recipients in chunks of ${chunkSize}, seed ${seed}`)
  await rig.sandbox.setFaults({ apns: { goawayEvery: GOAWAY_EVERY } })
  const startedMs = performance.now()
  await rig.enqueue()
  const broken: string[] = []
  const progress = setInterval(() => void tell(rig, report), PROGRESS_MS)
  try {
    await strike(rig, planned, async (blow) => {
      report(describe(blow))
      broken.push(...(await unbalanced(rig, recipients)))
    })
    await rig.drained()
  } finally {
    clearInterval(progress)
  }
  const seconds = (performance.now() - startedMs) / 1_000
  const finished = await rig.finish()
  const chunks = rig.campaigns.reduce((sum, campaign) => sum + chunkIds(campaign).length, 0)
  const allowance = { chunks, chunkSize, repeatableChunks: repeatableChunks(planned) }
  broken.push(...violations(finished, allowance))
  return { ...finished, repeatableChunks: allowance.repeatableChunks, broken, seconds }
}

/** Also in the middle of a run each recipient is in a result or in a waiting chunk. */
async function unbalanced(rig: CampaignRig, recipients: number): Promise<readonly string[]> {
  const { accepted, rejected, expired, aborted, pending } = await rig.results()
  const sum = accepted + rejected + expired + aborted + pending
  return sum === recipients ? [] : [`${recipients - sum} recipients are neither in a result nor in a waiting chunk`]
}

async function tell(rig: CampaignRig, report: (line: string) => void): Promise<void> {
  const accepted = await rig.sandbox.accepted().catch(() => undefined)
  if (accepted !== undefined) report(`${accepted} pushes accepted`)
}

function describe({ atPushes, nats, victims, signal = 'SIGKILL', streamLimit }: PlannedBlow): string {
  const hits = [
    ...(nats === true ? ['nats-server SIGKILL'] : []),
    ...victims.map((victim) => `dispatcher ${victim} ${signal}`),
    ...(streamLimit === undefined ? [] : [`stream limit ${streamLimit}`]),
  ]
  return `after ${atPushes} pushes: ${hits.join(', ')}; back again`
}
