import { spawn } from 'node:child_process'
import { pinned } from '@stampede/h2push/bench'

/** What a subject is told to do. */
export interface SubjectJob {
  /**
   * `chunks` and `whole` are buildPassChunks and buildPass; `signature` is the signer alone, `rsa` the bare call of
   * node:crypto; `passkit` is passkit-generator.
   */
  readonly kind: 'chunks' | 'whole' | 'signature' | 'rsa' | 'passkit'
  /** Units before the measurement. */
  readonly warmup: number
  readonly count: number
  /** Look at memory, and report the most of each so many units. */
  readonly window?: number
}

/** What a subject reports. */
export interface SubjectResult {
  readonly count: number
  readonly seconds: number
  /** Of all threads, user and system. */
  readonly cpuSeconds: number
  /** Length of the last thing made. */
  readonly bytes: number
  /** The most of each window, then the last, in megabytes. */
  readonly rssMb: readonly number[]
}

const subject = new URL('./subject.ts', import.meta.url).pathname
const deadlineMs = 900_000

/** Runs a subject on the cores named. */
export async function runSubject(cpus: string, job: SubjectJob): Promise<SubjectResult> {
  const output = await runPinned(cpus, process.execPath, [subject, JSON.stringify(job)])
  return JSON.parse(output) as SubjectResult
}

/**
 * Signatures with RSA-2048 per second of CPU time, as `openssl speed` counts them (user time, one thread);
 * undefined where there is no openssl.
 */
export async function opensslSignsPerSecond(cpus: string, seconds: number): Promise<number | undefined> {
  try {
    const output = await runPinned(cpus, 'openssl', ['speed', '-seconds', String(seconds), 'rsa2048'])
    const rate = /^rsa 2048 bits +\S+s +\S+s +(\d+(?:\.\d+)?)/m.exec(output)?.[1]
    return rate === undefined ? undefined : Number(rate)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

function runPinned(cpus: string, command: string, args: readonly string[]): Promise<string> {
  const [file, all] = pinned(cpus, command, args)
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const child = spawn(file, all, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let complaints = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    output += part
  })
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    complaints += part
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs)
  child.once('error', reject)
  child.once('close', (code, signal) => {
    clearTimeout(timer)
    if (code === 0) resolve(output)
    else reject(new Error(`${command} ended with ${code ?? signal}: ${complaints.slice(-2_000) || output}`))
  })
  return promise
}
