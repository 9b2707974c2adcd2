import { writeReport } from './report/write.ts'
import { helpText, parseOptions, UsageError } from './run/options.ts'
import { holdPlatform } from './run/platform.ts'
import { runScenario } from './run/run.ts'
import { remoteTarget, type Target, TargetError } from './run/target.ts'

const exit = { well: 0, broken: 1, usage: 2, noTool: 3 } as const

/** Who calls. */
export interface LoadCaller {
  readonly args: readonly string[]
  /** Folder that paths of the command line are relative to. */
  readonly from: string
  /** Path of the k6 program; undefined where there is none. */
  readonly k6: string | undefined
}

/** npm run load: one scenario from the command line to the report; gives the exit code. */
export async function runLoad({ args, from, k6 }: LoadCaller): Promise<number> {
  const say = (line: string): void => console.log(`load: ${line}`)
  try {
    const options = parseOptions(args, from)
    if (options === 'help') {
      process.stdout.write(helpText)
      return exit.well
    }
    if (k6 === undefined) {
      console.error('load: there is no k6 in PATH or in .stampede/tools; `npm run tools` builds it where there is Go')
      return exit.noTool
    }
    await using stack = new AsyncDisposableStack()
    const target: Target =
      options.against === undefined
        ? stack.use(await holdPlatform(options.dataDir, say)).target
        : remoteTarget(options.against, options.dataDir)
    const facts = await runScenario({ options, target, k6, say })
    const files = writeReport(facts, options.report ?? facts.files.folder)
    for (const what of facts.broken) say(`BROKEN ${what}`)
    say(
      `${facts.broken.length === 0 ? 'all thresholds and invariants hold' : 'broken'}; ${files.html}, ${files.markdown}`,
    )
    return facts.broken.length === 0 ? exit.well : exit.broken
  } catch (error) {
    if (!(error instanceof UsageError) && !(error instanceof TargetError)) throw error
    console.error(`load: ${error.message}`)
    return exit.usage
  }
}
