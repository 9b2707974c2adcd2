import { writeReport } from './report/write.ts'
import { helpText, type LoadOptions, parseOptions, UsageError } from './run/options.ts'
import { holdPlatform } from './run/platform.ts'
import { runScenario } from './run/run.ts'
import { remoteTarget, type Target, TargetError } from './run/target.ts'

export { type HeldPlatform, holdPlatform } from './run/platform.ts'

const exit = { well: 0, broken: 1, usage: 2, noTool: 3, stopped: 130 } as const
const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

function say(line: string): void {
  console.log(`load: ${line}`)
}

/** Who calls. */
export interface LoadCaller {
  readonly args: readonly string[]
  /** Folder that paths of the command line are relative to. */
  readonly from: string
  /** Path of the k6 program; undefined where there is none. */
  readonly k6: string | undefined
}

/** Resolves to an exit code when a person or the system asks to stop. */
function listenForStop(): { readonly asked: Promise<number>; end(): void } {
  const { promise: asked, resolve } = Promise.withResolvers<number>()
  const onSignal = (): void => resolve(exit.stopped)
  for (const signal of stopSignals) process.on(signal, onSignal)
  return {
    asked,
    end: () => {
      for (const signal of stopSignals) process.off(signal, onSignal)
    },
  }
}

/** Loads a platform, which is stopped with the stack if it is ours, and writes the report. */
async function loadAndReport(options: LoadOptions, k6: string, stack: AsyncDisposableStack): Promise<number> {
  const target: Target =
    options.against === undefined
      ? stack.use(await holdPlatform(options.dataDir, say)).target
      : remoteTarget(options.against, options.dataDir)
  const facts = await runScenario({ options, target, k6, say })
  const files = writeReport(facts, options.report ?? facts.files.folder)
  for (const what of facts.broken) say(`BROKEN ${what}`)
  say(`${facts.broken.length === 0 ? 'well' : 'broken'}; ${files.html}, ${files.markdown}`)
  return facts.broken.length === 0 ? exit.well : exit.broken
}

/** npm run load: one scenario from the command line to the report; gives the exit code. */
export async function runLoad({ args, from, k6 }: LoadCaller): Promise<number> {
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
    const stop = stack.adopt(listenForStop(), (listening) => listening.end())
    return await Promise.race([stop.asked, loadAndReport(options, k6, stack)])
  } catch (error) {
    if (!(error instanceof UsageError) && !(error instanceof TargetError)) throw error
    console.error(`load: ${error.message}`)
    return exit.usage
  }
}
