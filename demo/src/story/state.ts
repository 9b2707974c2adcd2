import { createHash } from 'node:crypto'
import { createReadStream, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DemoOptions } from '../options.ts'

/** What a story remembers between runs on one data directory. */
export interface StoryState {
  /** Instant that the history's dates hang on, Unix milliseconds. */
  readonly anchorMs: number
  readonly tillKey?: string
  readonly marketerKey?: string
  /** How many times the story was told to the end of its receipts. */
  readonly runs: number
  /** Receipts of the past were posted completely. */
  readonly historyPosted: boolean
}

/** Slug of the story's brand: `demo`, or one per receipts file, so that stories never mix. */
export async function brandOfStory(options: DemoOptions): Promise<string> {
  const name = options.story === 'rotation' ? 'rotation' : 'demo'
  if (options.receipts === undefined) return options.seed === 1 ? name : `${name}-seed-${options.seed}`
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(options.receipts)) hash.update(chunk as Buffer)
  hash.update([options.layout, options.columns, options.timeZone, options.currency, options.asDated].join('\0'))
  return `${name}-${hash.digest('hex').slice(0, 8)}`
}

/** Reads the state of a brand's story, or begins one that hangs on `nowMs`. Writes nothing. */
export function readState(dataDir: string, brand: string, nowMs: number): StoryState {
  const file = stateFile(dataDir, brand)
  if (!existsSync(file)) return { anchorMs: nowMs, runs: 0, historyPosted: false }
  return JSON.parse(readFileSync(file, 'utf8')) as StoryState
}

/** Stores the state; never half of it. */
export function writeState(dataDir: string, brand: string, state: StoryState): void {
  const file = stateFile(dataDir, brand)
  mkdirSync(join(dataDir, 'data', 'story'), { recursive: true })
  writeFileSync(`${file}.new`, JSON.stringify(state, null, 2), { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

function stateFile(dataDir: string, brand: string): string {
  return join(dataDir, 'data', 'story', `${brand}.json`)
}
