import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder in the system's temporary folder that is removed on disposal. Others may pass through it, but not list it. */
export interface TempDir extends Disposable {
  readonly path: string
}

/** Makes a temporary folder. */
export function tempDir(purpose: string): TempDir {
  const path = mkdtempSync(join(tmpdir(), `stampede-${purpose}-`))
  chmodSync(path, 0o711)
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}
