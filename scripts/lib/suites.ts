import { spawn } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Top folder of the repository. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** Test files of one part. */
export interface Suite {
  /** Folder of the part, such as `services/ledger`. */
  readonly name: string
  readonly files: readonly string[]
}

/** Counts of a suite that ran. */
export interface SuiteResult {
  readonly name: string
  readonly tests: number
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly seconds: number
  readonly exitCode: number
}

const suiteDeadlineMs = 10 * 60_000
const testDeadlineMs = 5 * 60_000
const patterns = [
  'packages/*/src',
  'services/*/src',
  'loadtests/*/src',
  'operator/src',
  'charts/src',
  'demo/src',
  'scripts',
]

/** All test files by part; `unitOnly` leaves out those that start servers through a test kit. */
export function findSuites(unitOnly: boolean): readonly Suite[] {
  const files = globSync(
    patterns.map((pattern) => `${pattern}/**/*.test.{ts,mjs}`),
    { cwd: root },
  ).sort()
  const chosen = unitOnly ? files.filter((file) => !startsServers(file)) : files
  const byPart = Map.groupBy(chosen, (file) =>
    file
      .split(sep)
      .slice(0, /^(operator|charts|demo|scripts)/.test(file) ? 1 : 2)
      .join('/'),
  )
  return [...byPart].map(([name, files]) => ({ name, files }))
}

function startsServers(file: string): boolean {
  return /from '(@stampede\/[a-z-]+|\.\.?(\/\.\.)*)\/testing[/a-z.-]*'|node:child_process|node:tls|node:http/.test(
    readFileSync(join(root, file), 'utf8'),
  )
}

/** Runs a suite with node:test; its output goes to the terminal when something failed. */
export async function runSuite(suite: Suite, env: NodeJS.ProcessEnv): Promise<SuiteResult> {
  const startedAt = performance.now()
  const args = [
    '--test',
    `--test-timeout=${testDeadlineMs}`,
    '--test-concurrency=2',
    '--test-reporter=spec',
    ...suite.files,
  ]
  const { exitCode, output } = await runQuietly(process.execPath, args, env)
  const number = (label: string): number => Number(new RegExp(`^ℹ ${label} (\\d+)`, 'm').exec(output)?.[1] ?? 0)
  if (exitCode !== 0) process.stdout.write(output)
  for (const line of output.split('\n').filter((text) => /^\s*﹣.*# /.test(text)))
    console.log(`  skipped: ${line.trim()}`)
  return {
    name: suite.name,
    tests: number('tests'),
    passed: number('pass'),
    failed: number('fail') + number('cancelled'),
    skipped: number('skipped'),
    seconds: (performance.now() - startedAt) / 1000,
    exitCode,
  }
}

/** Runs a command, collecting what it prints; kills it at the deadline (default ten minutes). */
export function runQuietly(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
  deadlineMs = suiteDeadlineMs,
): Promise<{ readonly exitCode: number; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
    const parts: Buffer[] = []
    const timer = setTimeout(() => {
      parts.push(Buffer.from(`\nkilled after ${deadlineMs / 1000} s\n`))
      child.kill('SIGKILL')
    }, deadlineMs)
    child.stdout.on('data', (part: Buffer) => parts.push(part))
    child.stderr.on('data', (part: Buffer) => parts.push(part))
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(timer)
      resolve({ exitCode: code ?? 1, output: Buffer.concat(parts).toString('utf8') })
    })
  })
}
