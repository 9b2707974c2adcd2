import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Fixture } from '../plan/fixture.ts'
import { hasCampaign, shapes } from '../plan/shapes.ts'
import { sizesOf } from '../plan/sizing.ts'
import { type Facts, gatherFacts } from '../report/facts.ts'
import { loadStores, prepareBrand } from './brand.ts'
import { openClients } from './clients.ts'
import { sortConsole } from './console.ts'
import { type RunFiles, runK6 } from './k6.ts'
import type { LoadOptions } from './options.ts'
import { repository } from './platform.ts'
import { type Reconciliation, reconcile } from './reconcile.ts'
import { readSamples } from './samples.ts'
import { SandboxControl } from './sandbox.ts'
import { makeKeys, seed } from './seed.ts'
import { readSummary } from './summary.ts'
import { type Target, TargetError } from './target.ts'
import { SandboxWatch, settle, type Watched } from './watch.ts'

/** What a run works with. */
export interface RunInput {
  readonly options: LoadOptions
  readonly target: Target
  /** Path of the k6 program. */
  readonly k6: string
  readonly say: (line: string) => void
}

/** Prepares the platform, loads it, lets it come to rest, and gathers what there is to know. */
export async function runScenario(given: RunInput): Promise<Facts> {
  const input = { ...given, target: withOwnBrand(given) }
  const { options, target, k6, say } = input
  const sandbox = target.sandboxUrl === undefined ? undefined : new SandboxControl(target.sandboxUrl)
  const name = `l${Date.now().toString(36)}`
  const files = makeFiles(join(target.dataDir, 'load', `${options.scenario}-${name}`))
  await prepare(input, sandbox, name, files)
  const load = { atStart: loadavg()[0] ?? 0, atEnd: 0, cores: availableParallelism() }
  say(`${options.scenario} at scale ${options.scale} for ${options.durationSeconds} s`)
  const startedAt = new Date()
  const { rows, exitCode, isSettled } = await loadAndSettle(input, sandbox, files)
  load.atEnd = loadavg()[0] ?? 0
  const tillFolder = join(target.dataDir, 'data', 'tills')
  mkdirSync(tillFolder, { recursive: true })
  const console = await sortConsole(files.console, join(tillFolder, `load-${name}.ndjson`))
  return gatherFacts({
    options,
    files,
    k6,
    startedAt,
    load,
    exitCode,
    isSettled,
    console,
    watched: rows,
    summary: readSummary(files.summary),
    samples: await readSamples(files.samples),
    reconciliation: await check(input, name),
  })
}

/** Runs of different sizes do not mix: each has a brand of its own, where we may make one. */
function withOwnBrand({ options, target }: RunInput): Target {
  if (target.home === undefined) return target
  const { cards, campaignPerSecond } = sizesOf(options.scale, hasCampaign(options.scenario))
  return { ...target, brand: `${target.brand}-${cards}-${campaignPerSecond}` }
}

function makeFiles(folder: string): RunFiles {
  mkdirSync(folder, { recursive: true })
  return {
    folder,
    fixture: join(folder, 'fixture.json'),
    summary: join(folder, 'summary.json'),
    samples: join(folder, 'samples.csv.gz'),
    console: join(folder, 'console.log'),
  }
}

async function prepare(
  { options, target, say }: RunInput,
  sandbox: SandboxControl | undefined,
  name: string,
  files: RunFiles,
): Promise<void> {
  const { brand, addresses, caFile } = target
  await using clients = openClients(target)
  const { cards, campaignPerSecond } = sizesOf(options.scale, hasCampaign(options.scenario))
  await prepareBrand(target, clients, campaignPerSecond)
  const { memberIds, phones } = await seed({ brand, cards, clients, sandbox, say })
  if (phones.length === 0 && shapes[options.scenario].some(({ flow }) => flow === 'phone'))
    throw new TargetError(`${options.scenario} needs phones, which only a sandbox has: sandboxUrl is missing`)
  const membersFile = join(files.folder, 'members.json')
  const phonesFile = join(files.folder, 'phones.json')
  writeFileSync(membersFile, JSON.stringify(memberIds))
  writeFileSync(phonesFile, JSON.stringify(phones), { mode: 0o600 })
  const fixture: Fixture = {
    run: name,
    scenario: options.scenario,
    brand,
    scale: options.scale,
    durationSeconds: options.durationSeconds,
    slack: options.slack,
    thresholds: options.thresholds,
    addresses,
    caPem: caFile === undefined ? '' : readFileSync(caFile, 'utf8'),
    ...(await makeKeys(clients, brand)),
    stores: loadStores,
    protoDir: join(repository, 'proto'),
    membersFile,
    phonesFile,
    summaryFile: files.summary,
  }
  writeFileSync(files.fixture, JSON.stringify(fixture), { mode: 0o600 })
  await untilKeysAreKnown()
}

/** A new key is known to all services within so many milliseconds. */
const keyMs = 5_000

function untilKeysAreKnown(): Promise<void> {
  return delay(keyMs)
}

async function loadAndSettle(
  { target, k6, say }: RunInput,
  sandbox: SandboxControl | undefined,
  files: RunFiles,
): Promise<{ rows: readonly Watched[]; exitCode: number; isSettled: boolean }> {
  if (sandbox === undefined) {
    const { exitCode } = await runK6(k6, files, target.caFile, say)
    return { rows: [], exitCode, isSettled: true }
  }
  await using watch = new SandboxWatch(sandbox)
  const { exitCode } = await runK6(k6, files, target.caFile, say)
  const isSettled = await settle(sandbox)
  return { rows: watch.rows, exitCode, isSettled }
}

async function check({ target, say }: RunInput, name: string): Promise<Reconciliation | undefined> {
  if (target.postgresUrl === undefined) {
    say('no database is named by STAMPEDE_POSTGRES_URL: the ledger behind the answers was not checked')
    return undefined
  }
  say('verify')
  return reconcile(target.dataDir, target.postgresUrl, { name, brand: target.brand })
}
