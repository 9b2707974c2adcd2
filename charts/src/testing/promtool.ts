import { spawnSync } from 'node:child_process'
import { findTool } from '../../../scripts/tools/find.ts'

/** A program of Prometheus; undefined, with a line on the console, when it is missing (then a suite skips). Throws in CI. */
export function findProgram(name: 'prometheus' | 'promtool'): string | undefined {
  const path = findTool(name)
  if (path !== undefined) return path
  const line = `no ${name}; it comes with the package "prometheus" of Debian`
  if (process.env['STAMPEDE_CI'] === '1') throw new Error(line)
  console.log(`LOUD SKIP: ${line}`)
  return undefined
}

/** Runs promtool; answers with what it said if it is not content. */
export function complaintOf(promtool: string, args: readonly string[]): string | undefined {
  const { status, stdout, stderr } = spawnSync(promtool, args, { encoding: 'utf8' })
  return status === 0 ? undefined : `${stdout}${stderr}`
}
