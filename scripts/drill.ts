// npm run drill -- NAME: one failure drill on real processes; ends with what it counted, 1 when a promise was broken.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { root } from './lib/suites.ts'

/** The program of each drill; it is given the name. */
const programs: Readonly<Record<string, string>> = {
  'kill-dispatcher': 'services/push-dispatcher/src/failure/drill.ts',
  'restart-nats': 'services/push-dispatcher/src/failure/drill.ts',
  'restart-pass-render': 'services/pass-render/src/failure/drill.ts',
}

async function main(): Promise<number> {
  const name = process.argv[2] ?? ''
  const program = programs[name]
  if (program === undefined) {
    console.error(`drill: unknown name "${name}"; one of ${Object.keys(programs).join(', ')}`)
    return 2
  }
  const child = spawn(process.execPath, [join(root, program), name], { cwd: root, stdio: 'inherit' })
  const [code] = (await once(child, 'close')) as [number | null]
  return code ?? 1
}

process.exitCode = await main()
