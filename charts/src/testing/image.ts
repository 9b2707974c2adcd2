import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, cpSync, globSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './helm.ts'

/** The image of a component as the Dockerfile makes it, in a folder; disposing removes it. */
export interface Image extends Disposable {
  /** What is /app in the image. */
  readonly app: string
  /** What is /etc/stampede in a pod. */
  readonly files: string
  /** Node, where everybody can run it. */
  readonly node: string
  /** Nobody, when this process may become that; else this process' own user, for whom nothing is writable. */
  readonly user: { readonly uid?: number; readonly gid?: number }
}

const nobody = 65_534
const installMs = 240_000

/** Does what the stages of the Dockerfile do, with the commands that are written there. Throws when one fails. */
export function buildImage(component: string): Image {
  const folder = mkdtempSync(join(tmpdir(), `stampede-image-${component}-`))
  const app = join(folder, 'image', 'manifests')
  const run = (command: string, args: readonly string[], cwd: string): void => {
    execFileSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'], timeout: installMs })
  }
  try {
    run(process.execPath, ['scripts/image.ts', component, join(folder, 'image')], root)
    run('npm', ['install', '--no-save', '--no-progress', '--omit=dev'], app)
    cpSync(join(folder, 'image', 'sources'), app, { recursive: true })
    const node = join(folder, 'node')
    copyFileSync(process.execPath, node)
    const files = join(folder, 'etc')
    mkdirSync(files)
    chmodSync(folder, 0o755)
    return { app, files, node, user: closeToWrites(app), [Symbol.dispose]: () => remove(folder) }
  } catch (error) {
    remove(folder)
    throw error
  }
}

function closeToWrites(app: string): Image['user'] {
  if (process.getuid?.() === 0) return { uid: nobody, gid: nobody }
  for (const entry of globSync('**', { cwd: app, withFileTypes: true }))
    if (entry.isDirectory()) chmodSync(join(entry.parentPath, entry.name), 0o555)
  return {}
}

function remove(folder: string): void {
  for (const entry of globSync('**', { cwd: folder, withFileTypes: true }))
    if (entry.isDirectory()) chmodSync(join(entry.parentPath, entry.name), 0o755)
  rmSync(folder, { recursive: true, force: true })
}
