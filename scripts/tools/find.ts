import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A program that suites run and npm cannot bring. */
export type ToolName = 'etcd' | 'helm' | 'k6' | 'kube-apiserver' | 'prometheus' | 'promtool'

/** Folder of the programs that `npm run tools` made: STAMPEDE_TOOLS_DIR, or `.stampede/tools` of the checkout. */
export function toolsFolder(): string {
  return process.env['STAMPEDE_TOOLS_DIR'] || fileURLToPath(new URL('../../.stampede/tools', import.meta.url))
}

/** Path of a program, from PATH or from the tools folder; undefined when neither has it. */
export function findTool(name: ToolName): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), toolsFolder()]
  return folders.map((folder) => join(folder, name)).find(isProgram)
}

/** Path of the Go program: from PATH, or where its own installer puts it. */
export function findGo(): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/go/bin']
  return folders.map((folder) => join(folder, 'go')).find(isProgram)
}

/** Whether a file can be run. */
export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
