import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { EmbeddedError } from './embedded-error.ts'

/** Marks a data folder as in use by this process; disposing gives it back. */
export interface Ownership extends Disposable {
  readonly file: string
}

/**
 * Takes a data folder for this process. A second platform on the same folder is refused, while one that was
 * killed leaves only a stale file behind.
 */
export function takeOwnership(dataDir: string): Ownership {
  const file = `${dataDir}.owner`
  const own = `${process.pid} ${startTicks(process.pid)}`
  const [pid = '', ticks = ''] = existsSync(file) ? readFileSync(file, 'utf8').trim().split(' ') : []
  if (pid !== '' && Number(pid) !== process.pid && startTicks(Number(pid)) === ticks && isAlive(Number(pid))) {
    throw new EmbeddedError(
      `${dataDir} is in use by process ${pid}: stop that one first, or choose another data folder`,
    )
  }
  writeFileSync(file, own, { mode: 0o600 })
  return { file, [Symbol.dispose]: () => rmSync(file, { force: true }) }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** When the process started, in clock ticks since boot: tells a process from a later one with the same id. */
function startTicks(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '-'
  } catch {
    return '-'
  }
}
