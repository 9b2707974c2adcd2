import { spawnSync } from 'node:child_process'

const hasTaskset = spawnSync('taskset', ['--version']).status === 0

/** Core of every client; the sink has the other. */
export const CLIENT_CPU = '0'

/** Whether processes can be bound to a core here (util-linux). */
export const canPin: boolean = hasTaskset

/** A command bound to cores, as `taskset -c` names them, where `taskset` is present. */
export function pinned(
  cpus: string,
  command: string,
  args: readonly string[],
): readonly [command: string, args: readonly string[]] {
  return hasTaskset ? ['taskset', ['-c', cpus, command, ...args]] : [command, args]
}

/** Binds all threads of a process to cores; those that it starts later follow. */
export function bind(pid: number, cpus: string): void {
  if (hasTaskset) spawnSync('taskset', ['-a', '-c', '-p', cpus, String(pid)])
}
