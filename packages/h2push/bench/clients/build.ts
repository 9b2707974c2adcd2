import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { toolsDir } from '../tools-dir.ts'

const packageDir = resolve(import.meta.dirname, '../..')
const builtDir = join(toolsDir, 'h2push-built')

/**
 * Writes the package and our clients as JavaScript, as an image holds them, and gives the path of one client there:
 * a process that strips types at start holds some 27 MB for that for as long as it lives.
 */
export function builtClient(name: string): string {
  const files = globSync(['src/**/*.ts', 'bench/{clients,peers}/*.ts', 'bench/*.ts'], { cwd: packageDir })
  for (const file of files.filter((path) => !path.endsWith('.test.ts'))) {
    const code = stripTypeScriptTypes(readFileSync(join(packageDir, file), 'utf8'))
    const target = join(builtDir, file.replace(/\.ts$/, '.js'))
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, code.replaceAll(/(from '\.[^']*)\.ts'/g, "$1.js'"))
  }
  return join(builtDir, 'bench/clients', `${name}.js`)
}
