import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** A process to keep alive. */
export interface ProcessSpec {
  readonly name: string
  /** Arguments of Node. */
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** URLs that answer 200 when it is ready. */
  readonly readyUrls: readonly string[]
}

/** Peak memory of a process. */
export interface ProcessMemory {
  readonly name: string
  readonly pid: number
  /** Most bytes of memory ever resident. */
  readonly peakBytes: number
}

const limits = { readyMs: 90_000, pollMs: 100, stopMs: 30_000, restartDelayMs: 200, restartDelayMaxMs: 5_000 } as const
// Left alone, the engine lets its heap grow with the machine's memory before it tidies up.
const nodeFlags = ['--max-old-space-size=640']
const preload = new URL('./exit-with-parent.ts', import.meta.url).href

/** Starts processes, starts them again when they end by themselves, and stops them in reverse order. */
export class Supervisor implements AsyncDisposable {
  readonly #running = new Map<string, ChildProcess>()
  readonly #logFolder: string
  readonly #say: (line: string) => void
  readonly #signal: AbortSignal
  #stopping = false

  /** `signal` ends the waiting for processes to be ready. */
  constructor(logFolder: string, say: (line: string) => void, signal: AbortSignal) {
    this.#logFolder = logFolder
    this.#say = say
    this.#signal = signal
  }

  /** Starts a process and waits until it is ready. Throws when it is not within 90 s, or the signal's reason. */
  async start(spec: ProcessSpec): Promise<void> {
    this.#spawn(spec, limits.restartDelayMs)
    await this.#untilReady(spec)
  }

  /** Peak memory of each process that runs. */
  memory(): readonly ProcessMemory[] {
    return [...this.#running].map(([name, child]) => {
      const pid = child.pid ?? 0
      return { name, pid, peakBytes: peakMemoryOf(pid) }
    })
  }

  /** Process ids by name. */
  pids(): ReadonlyMap<string, number> {
    return new Map([...this.#running].map(([name, child]) => [name, child.pid ?? 0]))
  }

  #spawn(spec: ProcessSpec, delayMs: number): void {
    const log = createWriteStream(join(this.#logFolder, `${spec.name}.log`), { flags: 'a' })
    const child = spawn(process.execPath, [...nodeFlags, '--import', preload, ...spec.args], {
      env: spec.env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // A group of its own: Ctrl-C reaches only us, and we stop the parts in order.
      detached: true,
    })
    child.stdout?.pipe(log, { end: false })
    child.stderr?.pipe(log, { end: false })
    const startedAt = Date.now()
    this.#running.set(spec.name, child)
    const onEnd = (how: string): void => {
      log.end()
      if (this.#stopping) return
      const lastedMs = Date.now() - startedAt
      const nextDelayMs = lastedMs > 10_000 ? limits.restartDelayMs : Math.min(delayMs * 2, limits.restartDelayMaxMs)
      this.#say(`${spec.name} ended (${how}): starting it again`)
      void delay(delayMs).then(() => {
        if (!this.#stopping) this.#spawn(spec, nextDelayMs)
      })
    }
    child.once('exit', (code, signal) => onEnd(signal ?? `code ${code}`))
    child.on('error', (error) => {
      // One that could not be started at all has no exit.
      if (child.pid === undefined) onEnd(error.message)
    })
  }

  async #untilReady(spec: ProcessSpec): Promise<void> {
    const deadline = Date.now() + limits.readyMs
    for (const url of spec.readyUrls) {
      while (!(await answers(url))) {
        this.#signal.throwIfAborted()
        if (Date.now() > deadline) {
          throw new Error(
            `${spec.name} is not ready after 90 s; its log is ${join(this.#logFolder, `${spec.name}.log`)}`,
          )
        }
        await delay(limits.pollMs)
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true
    for (const child of [...this.#running.values()].reverse()) await stop(child)
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) })
    await response.arrayBuffer()
    return response.status === 200
  } catch {
    return false
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
  })
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), limits.stopMs)
  await exited
  clearTimeout(timer)
}

/** Peak resident bytes of a process, 0 where the system does not tell. */
export function peakMemoryOf(pid: number): number {
  try {
    const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return Number(line?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}
