import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('../k6/main.ts', import.meta.url))
/** k6's exit code when a threshold was crossed. */
export const thresholdsCrossed = 99

/** Files of one run. */
export interface RunFiles {
  readonly folder: string
  readonly fixture: string
  readonly summary: string
  /** Every sample, gzipped CSV. */
  readonly samples: string
  /** k6's console: the journal of the tills, and what went wrong. */
  readonly console: string
}

/** What k6 said of itself. */
export interface K6End {
  readonly exitCode: number
}

/** Runs k6 to its end. `caFile` is the only authority that it trusts; its lines go to `say`. */
export async function runK6(
  k6: string,
  files: RunFiles,
  caFile: string | undefined,
  say: (line: string) => void,
): Promise<K6End> {
  const args = [
    'run',
    '--quiet',
    '--no-usage-report',
    '--log-format=json',
    `--log-output=file=${files.console}`,
    `--out=csv=${files.samples}`,
    `--env=FIXTURE=${files.fixture}`,
    script,
  ]
  const trust = caFile === undefined ? {} : { SSL_CERT_FILE: caFile }
  const child = spawn(k6, args, {
    cwd: files.folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...trust },
  })
  // Whoever stops us early wants no more load either.
  const onExit = (): void => void child.kill('SIGKILL')
  process.once('exit', onExit)
  for (const input of [child.stdout, child.stderr]) createInterface({ input }).on('line', say)
  try {
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code) => resolve(code ?? 1))
    })
    return { exitCode }
  } finally {
    process.off('exit', onExit)
  }
}

/** Version of a k6 program, such as `v1.8.1`. */
export async function versionOf(k6: string): Promise<string> {
  const child = spawn(k6, ['version'], { stdio: ['ignore', 'pipe', 'ignore'] })
  let text = ''
  child.stdout.on('data', (part: Buffer) => {
    text += part.toString('utf8')
  })
  await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return /v\d+\.\d+\.\d+/.exec(text)?.[0] ?? 'unknown'
}
