import { join } from 'node:path'
import { root, runQuietly } from './suites.ts'

const bin = (name: string): string => join(root, 'node_modules', '.bin', name)

const checks: readonly { readonly name: string; readonly command: string; readonly args: readonly string[] }[] = [
  { name: 'types', command: bin('tsc'), args: ['-p', '.'] },
  { name: 'format and lint', command: bin('biome'), args: ['check', '--error-on-warnings', '.'] },
  {
    name: 'promises',
    command: bin('oxlint'),
    args: ['--type-aware', 'packages', 'services', 'loadtests', 'operator', 'charts', 'demo', 'scripts'],
  },
]

/** Types, lint and floating promises; prints what is wrong and says whether all is well. */
export async function runStaticChecks(): Promise<boolean> {
  let allWell = true
  for (const { name, command, args } of checks) {
    const startedAt = performance.now()
    const { exitCode, output } = await runQuietly(command, args)
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
    console.log(`${exitCode === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`)
    if (exitCode === 0) continue
    console.log(output)
    allWell = false
  }
  return allWell
}
