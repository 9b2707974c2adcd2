import { type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** A process of Node that has said that it is ready; disposing kills it. It ends by itself when this process is gone. */
export interface NodeProcess<Ready> extends AsyncDisposable {
  readonly pid: number
  /** What its line said. */
  readonly ready: Ready
  /** Resolves with the exit code when it ends, null after a signal. */
  readonly exited: Promise<number | null>
  /** Sends a signal and waits for the end; resolves with the exit code, null after a signal. */
  end(signal: NodeJS.Signals): Promise<number | null>
}

/** How to start a process of Node. */
export interface NodeProcessOptions<Ready> {
  readonly script: URL
  readonly args?: readonly string[]
  /** Its whole environment. */
  readonly env: NodeJS.ProcessEnv
  /** Path of Node; default: the one that runs the test. */
  readonly node?: string
  /** Where and as whom it runs; default: as this process. */
  readonly as?: Pick<SpawnOptions, 'cwd' | 'uid' | 'gid'>
  /** Reads the line that says that it is ready; undefined for any other line. */
  readonly readyLine: (line: string) => Ready | undefined
}

const READY_MS = 60_000

/** Starts a process and waits until it is ready; throws when it ends before, or is not ready within a minute. */
export async function startNode<Ready>(options: NodeProcessOptions<Ready>): Promise<NodeProcess<Ready>> {
  const { script, args = [], env, node = process.execPath, as = {}, readyLine } = options
  const child = spawn(node, [script.pathname, ...args], {
    ...as,
    env,
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  const exited = once(child, 'exit').then(([code]) => code as number | null)
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal)
    return exited
  }
  const isReady = Promise.withResolvers<Ready>()
  const timer = setTimeout(() => isReady.reject(new Error(`${script.pathname} is not ready`)), READY_MS)
  void exited.then((code) => isReady.reject(new Error(`${script.pathname} ended with code ${code}`)))
  if (child.stdout === null) throw new Error('a pipe was asked for')
  createInterface({ input: child.stdout }).on('line', (line) => {
    const ready = readyLine(line)
    if (ready === undefined) console.error(`[${child.pid}] ${line}`)
    else isReady.resolve(ready)
  })
  try {
    const ready = await isReady.promise
    return { pid: child.pid ?? 0, ready, exited, end, [Symbol.asyncDispose]: async () => void (await end('SIGKILL')) }
  } catch (error) {
    await end('SIGKILL')
    throw error
  } finally {
    clearTimeout(timer)
  }
}
