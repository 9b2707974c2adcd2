import { type BenchContext, limitGoal, markdownTable, median, type Report } from '@stampede/h2push/bench'
import { passesPerRow } from '@stampede/platform'
import { CampaignRig, type CampaignRun } from './campaign-rig.ts'

/** 2,007,040 cards; about a tenth of them in a quick run. */
const [ROWS, QUICK_ROWS] = [245, 25]
const RUNS = 5
const MUST = { bumpSeconds: 1, handOutSeconds: 5 }

/** A campaign to two million cards: bumping the passes, reading and handing out the tokens, and both together. */
export const campaignScenario = {
  name: 'campaign',
  async run({ isQuick, progress }: BenchContext): Promise<Report> {
    const rows = isQuick ? QUICK_ROWS : ROWS
    await using rig = await CampaignRig.start(rows, progress)
    const runs: CampaignRun[] = []
    for (let run = 1; run <= RUNS; run += 1) {
      progress(`campaign ${run} of ${RUNS}`)
      runs.push(await rig.run())
    }
    return report(rows, runs)
  },
}

function report(rows: number, runs: readonly CampaignRun[]): Report {
  const middle = (value: (run: CampaignRun) => number): number => median(runs.map(value))
  const limit = (seconds: number): number => Number(((seconds * rows) / ROWS).toFixed(2))
  const table = markdownTable(
    [
      'run',
      'bump s',
      'only read s',
      'only encode s',
      'read, encode, store s',
      'all, by the consumer s',
      'phones',
      'MB',
    ],
    runs.map((run, index) => [
      String(index + 1),
      run.bumpSeconds.toFixed(2),
      run.readSeconds.toFixed(2),
      run.encodeSeconds.toFixed(2),
      run.handOutSeconds.toFixed(2),
      run.wholeSeconds.toFixed(2),
      run.phones.toLocaleString('en'),
      run.megabytes.toFixed(0),
    ]),
  )
  return {
    title: `A campaign to ${(rows * passesPerRow).toLocaleString('en')} cards`,
    text: table,
    goals: [
      limitGoal(
        'bump of 2 M passes',
        middle((run) => run.bumpSeconds),
        'at most',
        limit(MUST.bumpSeconds),
        ' s',
      ),
      limitGoal(
        'tokens of 2 M read, attached and on JetStream',
        middle((run) => run.handOutSeconds),
        'at most',
        limit(MUST.handOutSeconds),
        ' s',
      ),
    ],
    data: runs,
  }
}
