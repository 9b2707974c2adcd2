import type { BenchContext, Scenario } from '@stampede/h2push/bench'
import { digits, limitGoal, markdownTable, short } from '@stampede/h2push/bench'
import { runSubject, type SubjectJob } from './run.ts'

const GROWTH_MAX = 1.1
const passes = { full: 1_000_000, quick: 300_000 }
/** The first of these is what the last is compared with. */
const WINDOW = 100_000
/** All that there are: memory does not depend on it, and it takes half as long. */
const cpus = '0-1'

/** Memory of a process that makes a million passes. */
export const memoryScenario: Scenario = {
  name: 'memory',
  async run(context) {
    const chunks = await grow(context, 'chunks')
    const whole = await grow(context, 'whole')
    const head = ['work', ...chunks.map((_, index) => short((index + 1) * WINDOW))]
    const cells = [
      ['buildPassChunks', ...chunks.map(digits)],
      ['buildPass', ...whole.map(digits)],
    ]
    return {
      title: 'Memory',
      text: `${markdownTable(head, cells)}\n\nResident memory in MB: the most that was seen within each ${short(WINDOW)} passes.`,
      goals: [growthGoal('buildPassChunks', chunks), growthGoal('buildPass', whole)],
      data: { chunks, whole },
    }
  },
}

async function grow({ isQuick, progress }: BenchContext, kind: SubjectJob['kind']): Promise<readonly number[]> {
  const count = isQuick ? passes.quick : passes.full
  progress(`  ${kind}, ${short(count)} passes`)
  const { rssMb } = await runSubject(cpus, { kind, warmup: 0, count, window: WINDOW })
  return rssMb.slice(0, -1)
}

function growthGoal(name: string, rssMb: readonly number[]): ReturnType<typeof limitGoal> {
  const last = `${short(rssMb.length * WINDOW)} passes`
  const growth = (rssMb.at(-1) ?? 0) / (rssMb[0] ?? 1)
  return limitGoal(`memory of ${name}, ${last} against ${short(WINDOW)}`, growth, 'at most', GROWTH_MAX, ' x')
}
