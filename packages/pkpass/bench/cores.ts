import { availableParallelism } from 'node:os'
import type { Scenario } from '@stampede/h2push/bench'
import { CLIENT_CPU, digits, limitGoal, markdownTable, median, observe, percent, short } from '@stampede/h2push/bench'
import { runSubject, type SubjectJob, type SubjectResult } from './run.ts'

/** What two cores must make of one: the event loop is the only part that does not spread. */
const SPEEDUP_MIN = 1.7
const rounds = { full: 5, quick: 3 }
const job: SubjectJob = { kind: 'chunks', warmup: 3_000, count: 16_000 }

/** One process on one core and on two: signatures are made in the thread pool. */
export const coresScenario: Scenario = {
  name: 'cores',
  async run(context) {
    if (availableParallelism() < 2) return { title, text: 'SKIPPED: there is one core only.', goals: [], data: [] }
    const done = []
    const count = context.isQuick ? rounds.quick : rounds.full
    for (let index = 1; index <= count; index++) {
      context.progress(`  round ${index} of ${count}`)
      const happened = observe([])
      const one = await runSubject(CLIENT_CPU, job)
      const two = await runSubject('0,1', job)
      done.push({ one, two, foreign: happened().foreign })
    }
    const cells = [
      ['one core', ...speedCells(done.map(({ one }) => one))],
      ['two cores', ...speedCells(done.map(({ two }) => two))],
    ]
    const speedup = median(done.map(({ one, two }) => rate(two) / rate(one)))
    const foreign = percent(median(done.map((each) => each.foreign)))
    return {
      title,
      text: `${markdownTable(['cores', 'passes/s', 'CPU us'], cells)}\n\nBy the clock; other processes had ${foreign} of the machine.`,
      goals: [limitGoal('two cores against one', speedup, 'at least', SPEEDUP_MIN, ' x')],
      data: done,
    }
  },
}

const title = 'One process on two cores'

function speedCells(results: readonly SubjectResult[]): readonly string[] {
  const rates = results.map(rate)
  return [
    `${short(median(rates))} (${short(Math.min(...rates))}-${short(Math.max(...rates))})`,
    digits(median(results.map(({ count, cpuSeconds }) => (cpuSeconds / count) * 1e6))),
  ]
}

function rate({ count, seconds }: SubjectResult): number {
  return count / seconds
}
