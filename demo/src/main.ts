import { EmbeddedError } from '@stampede/platform'
import { startStoryCluster } from './cluster/start.ts'
import { demandKubePrograms, MissingToolsError } from './cluster/tools.ts'
import type { DemoOptions } from './options.ts'
import { helpText, parseOptions, UsageError } from './options.ts'
import { createKnowledge, createPageData } from './page/data.ts'
import { startPage } from './page/server.ts'
import { DirectoryInUseError } from './platform/folders.ts'
import { tellMemory } from './platform/memory.ts'
import { type RunningPlatform, startPlatform } from './platform/start.ts'
import { ReceiptsFileError } from './receipts/errors.ts'
import { demandReadable } from './receipts/read.ts'
import { createContext, openClients } from './story/context.ts'
import { preparePurchases } from './story/purchases.ts'
import { createTeller } from './story/say.ts'
import { brandOfStory, readState } from './story/state.ts'
import { tellStory } from './story/tell.ts'

const teller = createTeller(process.stdout)

/** A terminal, npm and `timeout` may each pass on the same signal: a second one within this is no second wish. */
const echoMs = 2_000

/** Aborted at the first Ctrl-C, or when the terminal is gone; a second Ctrl-C ends the process at once. */
function listenForStop(): AbortSignal {
  const stop = new AbortController()
  let askedAt = Number.POSITIVE_INFINITY
  const onSignal = (): void => {
    if (performance.now() - askedAt > echoMs) process.exit(130)
    askedAt = Math.min(askedAt, performance.now())
    stop.abort()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
  // Nobody reads any more, as with `npm start | head`.
  process.stdout.on('error', () => stop.abort())
  return stop.signal
}

function untilStop(): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted) resolve()
    else stop.addEventListener('abort', () => resolve(), { once: true })
  })
}

async function runStory(options: DemoOptions, platform: RunningPlatform, prepared: Prepared): Promise<void> {
  const { brand, state, history } = prepared
  await using clients = openClients(platform)
  await using cluster = options.story === 'rotation' ? await startStoryCluster(platform) : undefined
  const context = createContext({ platform, options, brand, history, teller, clients, cluster })
  const knowledge = createKnowledge()
  await using page = await startPage({ port: platform.ports.page, data: createPageData(context, knowledge) })
  teller.line(`a page follows the story: ${page.url}`)
  await tellStory(context, state, knowledge)
  teller.line(`the same with pictures: ${page.url}`)
  tellMemory(teller, platform)
  if (options.exit) return
  teller.line('stays up until Ctrl-C')
  await untilStop()
}

type Prepared = Awaited<ReturnType<typeof prepare>>

/** Everything that can be wrong with the input shows here, before anything is written. */
async function prepare(options: DemoOptions) {
  if (options.story === 'rotation') demandKubePrograms()
  if (options.receipts !== undefined) await demandReadable(options.receipts)
  const brand = await brandOfStory(options)
  const state = readState(options.dataDir, brand, Date.now())
  return { brand, state, history: await preparePurchases(options, state) }
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2))
  if (options === 'help') {
    process.stdout.write(helpText)
    return 0
  }
  const prepared = options.demo ? await prepare(options) : undefined
  teller.line(`Stampede on ${options.dataDir}`)
  const { dataDir, googlePerSecond } = options
  await using platform = await startPlatform({ dataDir, googlePerSecond, say: teller.line, signal: stop })
  const told = prepared === undefined ? idle(options, platform) : runStory(options, platform, prepared)
  await Promise.race([told, untilStop()])
  teller.progressEnd()
  teller.line('stopping')
  return 0
}

async function idle(options: DemoOptions, platform: RunningPlatform): Promise<void> {
  teller.line(`the platform is up; its admin key is in ${platform.folders.root}/data/secrets.json`)
  if (!options.exit) await untilStop()
}

const stop = listenForStop()

/** Prints one clear line for what a person did, the stack for what we did. */
function exitCodeOf(error: unknown): number {
  if (error === stop.reason) return 0
  if (error instanceof ReceiptsFileError || error instanceof UsageError || error instanceof DirectoryInUseError) {
    console.error(`stampede: ${error.message}`)
    return 2
  }
  if (error instanceof MissingToolsError) {
    console.error(`stampede: ${error.message}`)
    return 3
  }
  if (error instanceof EmbeddedError) {
    console.error(`stampede: ${error.message}`)
    return 1
  }
  console.error('stampede:', error)
  return 1
}

// A story that was stopped half-way may still wait for parts that are gone.
process.exit(await main().catch(exitCodeOf))
