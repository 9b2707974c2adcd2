import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { runningServers } from '@stampede/platform'
import { localTarget, type Target } from './target.ts'

/** Top folder of the repository. */
export const repository = fileURLToPath(new URL('../../../../', import.meta.url))

/** As long as a first start with an empty database takes on a slow machine. */
const startMs = 180_000
const stopMs = 60_000
const upLine = 'the platform is up'

/** The platform of a data directory: the one that runs, or one that runs until disposed. */
export interface HeldPlatform extends AsyncDisposable {
  readonly target: Target
  /** Whether it was started by us. */
  readonly isOurs: boolean
}

/** Takes the platform that runs on the directory, or starts it. */
export async function holdPlatform(dataDir: string, say: (line: string) => void): Promise<HeldPlatform> {
  const running = runningServers(dataDir)
  if (running !== undefined) {
    const target = localTarget(dataDir, running.postgresUrl)
    return { target, isOurs: false, [Symbol.asyncDispose]: async () => undefined }
  }
  say(`nothing runs on ${dataDir}: starting the platform with its sandbox`)
  const child = spawn(process.execPath, [`${repository}demo/src/main.ts`, '--no-demo', '--data-dir', dataDir], {
    cwd: repository,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await using stack = new AsyncDisposableStack()
  stack.defer(() => stop(child))
  await untilUp(child)
  const servers = runningServers(dataDir)
  if (servers === undefined) throw new Error('the platform ended as soon as it was up')
  const owned = stack.move()
  return {
    target: localTarget(dataDir, servers.postgresUrl),
    isOurs: true,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function untilUp(child: ChildProcess): Promise<void> {
  if (child.stdout === null) throw new Error('the platform has no output')
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = setTimeout(() => reject(new Error(`the platform is not up after ${startMs / 1_000} s`)), startMs)
  child.once('error', reject)
  child.once('exit', (code) => reject(new Error(`the platform ended with code ${code} before it was up`)))
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.includes(upLine)) resolve()
  })
  try {
    await promise
  } finally {
    clearTimeout(timer)
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), stopMs)
  await exited
  clearTimeout(timer)
}
