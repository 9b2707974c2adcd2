import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, renameSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive } from '../pid-file.ts'
import { EmbeddedError } from './embedded-error.ts'
import type { SystemUser } from './system-user.ts'

/** One step of ending a process: the signal and how long to wait for the exit before the next step. */
export interface StopStep {
  readonly signal: NodeJS.Signals
  readonly waitMs: number
}

/** What to run as a child of this process. */
export interface ManagedProcessOptions {
  readonly command: string
  readonly args: readonly string[]
  /** File that receives stdout and stderr; appended to, moved aside above 16 MB. */
  readonly logFile: string
  readonly stopSteps: readonly StopStep[]
  /** User to switch to; undefined = the own one. */
  readonly user?: SystemUser | undefined
}

/** A running server process. */
export interface ManagedProcess {
  readonly pid: number
  /** Resolves with a line that says how it ended, whoever ended it. */
  readonly exited: Promise<string>
  /** How it ended; undefined while it runs. */
  ended(): string | undefined
  /** Ends it by the stop steps; throws when it outlives the last. */
  stop(): Promise<void>
}

const logBytesMax = 16 * 1024 * 1024
const logTailBytes = 2_000
const pollMs = 25

/** Starts a server as a child in a process group of its own, so that Ctrl-C in a terminal reaches us first, not it. */
export function startProcess(options: ManagedProcessOptions): ManagedProcess {
  const log = openLog(options.logFile)
  let child: ChildProcess
  try {
    child = spawn(options.command, options.args, {
      cwd: '/',
      detached: true,
      stdio: ['ignore', log, log],
      ...(options.user === undefined ? {} : { uid: options.user.uid, gid: options.user.gid }),
    })
  } finally {
    closeSync(log)
  }
  const pid = child.pid
  let ended: string | undefined
  const exited = new Promise<string>((resolve) => {
    const end = (how: string): void => {
      ended ??= how
      process.removeListener('exit', killAtExit)
      resolve(ended)
    }
    child.once('error', (error) => end(error.message))
    child.once('exit', (code, signal) => end(signal === null ? `exit code ${code}` : `signal ${signal}`))
  })
  const killAtExit = (): void => {
    child.kill(options.stopSteps[0]?.signal ?? 'SIGTERM')
  }
  process.once('exit', killAtExit)
  return {
    pid: pid ?? 0,
    exited,
    ended: () => ended,
    stop: async () => {
      for (const step of options.stopSteps) {
        if (ended !== undefined) return
        child.kill(step.signal)
        await Promise.race([exited, sleep(step.waitMs, undefined, { ref: false })])
      }
      if (ended === undefined) throw new EmbeddedError(`process ${pid} (${options.command}) cannot be stopped`)
    },
  }
}

/** The last lines of a server's log, for an error message. */
export function logTail(logFile: string): string {
  if (!existsSync(logFile)) return ''
  const text = readFileSync(logFile, 'utf8')
  return text.slice(-logTailBytes).trim()
}

/**
 * Ends a server that an earlier, killed run left behind. `executable` is the program's file name: a process id is
 * reused by the system, and somebody else's process must not be hit.
 */
export async function stopLeftover(pid: number, executable: string, steps: readonly StopStep[]): Promise<void> {
  for (const step of steps) {
    if (!isRunning(pid, executable)) return
    process.kill(pid, step.signal)
    const deadline = Date.now() + step.waitMs
    while (Date.now() < deadline && isRunning(pid, executable)) await sleep(pollMs)
  }
  if (isRunning(pid, executable)) throw new EmbeddedError(`leftover ${executable} process ${pid} cannot be stopped`)
}

/** Whether that process lives and runs that program. Where /proc is missing, only the first is known. */
export function isRunning(pid: number, executable: string): boolean {
  if (!isAlive(pid)) return false
  if (!existsSync('/proc/self/stat')) return true
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))
    const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3)
    // A zombie holds neither files nor ports. The kernel keeps 15 characters of a name.
    return name === executable.slice(0, 15) && state !== 'Z'
  } catch {
    return false
  }
}

function openLog(logFile: string): number {
  if (existsSync(logFile) && statSync(logFile).size > logBytesMax) renameSync(logFile, `${logFile}.1`)
  return openSync(logFile, 'a', 0o600)
}
