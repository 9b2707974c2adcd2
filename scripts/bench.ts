// npm run bench [-w PART] [-- flags]: the benchmarks of one part, or of all, one after another. Flags go to each.
import { spawn } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { root } from './lib/suites.ts'

const parts = globSync('{packages,services}/*/bench/main.ts', { cwd: root })
  .map((file) => file.replaceAll('\\', '/').replace('/bench/main.ts', ''))
  .sort()

function run(part: string, flags: readonly string[]): Promise<number> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [join(root, part, 'bench', 'main.ts'), ...flags], {
      cwd: root,
      stdio: 'inherit',
    })
    child.on('error', fail)
    child.on('close', (code) => done(code ?? 1))
  })
}

/** A file is meant relative to where npm was called. */
function flagsOf(args: readonly string[]): readonly string[] {
  const from = process.env['INIT_CWD'] ?? root
  return args.map((arg, at) => (args[at - 1] === '--json' ? resolve(from, arg) : arg))
}

async function main(): Promise<void> {
  const [first = '', ...rest] = process.argv.slice(2)
  const isPart = first !== '' && existsSync(join(root, first, 'package.json'))
  if (isPart && !parts.includes(first)) {
    console.error(`bench: ${first} has no benchmark; those that have one: ${parts.join(', ')}`)
    process.exitCode = 2
    return
  }
  for (const part of isPart ? [first] : parts) {
    const code = await run(part, flagsOf(isPart ? rest : process.argv.slice(2)))
    if (code !== 0) process.exitCode = code
  }
}

await main()
