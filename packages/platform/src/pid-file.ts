import { readFileSync } from 'node:fs'

/**
 * The process that a pid file names, if it lives and still is the program given (a part of its command line): after a
 * crash or a reboot the number may belong to anybody. Where the system does not tell command lines, living is enough.
 */
export function readOwner(pidFile: string, program: string): number | undefined {
  const pid = readPid(pidFile)
  return pid !== undefined && isAlive(pid) && runs(pid, program) ? pid : undefined
}

function readPid(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, 'utf8'))
    return Number.isInteger(pid) && pid > 0 ? pid : undefined
  } catch {
    return undefined
  }
}

/** Whether there is such a process, whatever it runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Another user's process is not ours to signal, but it is there.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function runs(pid: number, program: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(program)
  } catch {
    return true
  }
}
