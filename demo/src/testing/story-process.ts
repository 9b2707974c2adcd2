import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { until } from '@stampede/platform/testing'

const repository = fileURLToPath(new URL('../../../', import.meta.url))
const markerName = 'STAMPEDE_TEST_MARKER'

/** A process that carries the marker. */
export interface MarkedProcess {
  readonly pid: number
  /** Name of its program, such as `node` or `postgres`. */
  readonly program: string
  readonly commandLine: string
}

/** Processes that carry the marker in their environment, whoever started them; Linux only. */
export function processesOf(marker: string): readonly MarkedProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        if (!readFileSync(`/proc/${name}/environ`, 'utf8').includes(`${markerName}=${marker}`)) return []
        const commandLine = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
        const program = basename(readlinkSync(`/proc/${name}/exe`))
        return commandLine === '' ? [] : [{ pid: Number(name), program, commandLine }]
      } catch {
        // Somebody else's, or gone by now.
        return []
      }
    })
}

/** What the parts of a story have in their command lines. */
const parts = {
  core: 'service.ts enrollment,',
  analytics: 'service.ts analytics',
  'pass-render': 'service.ts pass-render',
  'push-dispatcher': 'service.ts push-dispatcher',
  sandbox: 'sandbox/src/main.ts',
} as const

/** A process of the story besides the main one. */
export type StoryPart = keyof typeof parts

/** A command of the project that runs as a child, in a process group of its own as in a terminal. */
export class StoryProcess {
  readonly marker: string
  readonly #child: ChildProcess
  readonly #startedAt = performance.now()
  readonly #lines: string[] = []
  readonly #timedLines: string[] = []
  readonly #exited: Promise<number>
  #ended = false

  /** Runs a script of the repository with the arguments. */
  constructor(script: string, args: readonly string[], marker: string, env: NodeJS.ProcessEnv = process.env) {
    this.marker = marker
    const child = spawn(process.execPath, [join(repository, script), ...args], {
      cwd: repository,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...env, [markerName]: marker },
    })
    for (const input of [child.stdout, child.stderr]) {
      createInterface({ input }).on('line', (line) => this.#keep(line))
    }
    this.#exited = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.#ended = true
        resolve(code ?? (signal === 'SIGKILL' ? 137 : 128))
      })
    })
    this.#child = child
  }

  /** Id of the main process, and of its process group. */
  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Everything it said so far. */
  get output(): string {
    return this.#lines.join('\n')
  }

  /** The same with the second of each line. */
  get timedOutput(): string {
    return this.#timedLines.join('\n')
  }

  #keep(line: string): void {
    const second = ((performance.now() - this.#startedAt) / 1000).toFixed(1)
    this.#lines.push(line)
    this.#timedLines.push(`${second.padStart(6)} ${line}`)
  }

  /** Waits until it says this; throws when it ends before or takes longer. */
  async says(text: string, deadlineMs: number): Promise<void> {
    await until(`"${text}"`, () => this.output.includes(text) || this.#ended, deadlineMs)
    if (!this.output.includes(text)) throw new Error(`ended before it said "${text}"`)
  }

  /** Kills a part the hard way. */
  async kill(part: StoryPart): Promise<void> {
    const find = (): MarkedProcess | undefined =>
      processesOf(this.marker).find(({ commandLine }) => commandLine.includes(parts[part]))
    await until(`${part} to run`, () => find() !== undefined)
    const found = find()
    if (found !== undefined) process.kill(found.pid, 'SIGKILL')
  }

  /** Its exit code; throws when it takes longer. */
  async exitCode(deadlineMs: number): Promise<number> {
    const late = delay(deadlineMs, undefined, { ref: false }).then(() => {
      throw new Error(`not ended within ${deadlineMs} ms`)
    })
    return Promise.race([this.#exited, late])
  }
}

/** Ends everything that carries the marker. */
export async function sweep(marker: string): Promise<void> {
  for (const { pid } of processesOf(marker)) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It ended meanwhile.
    }
  }
  await until('killed processes to be gone', () => processesOf(marker).length === 0)
}
