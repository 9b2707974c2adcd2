import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readOwner } from '@stampede/platform'

/** Where a data directory keeps what. */
export interface Folders {
  readonly root: string
  readonly tools: string
  readonly postgres: string
  readonly nats: string
  readonly clickhouse: string
  readonly sandbox: string
  readonly credentials: string
  /** Logs, ports and the state of the story. */
  readonly run: string
}

/** Names the folders; makes none. */
export function foldersOf(root: string): Folders {
  const data = join(root, 'data')
  return {
    root,
    tools: join(root, 'tools'),
    postgres: join(data, 'postgres'),
    nats: join(data, 'nats'),
    clickhouse: join(data, 'clickhouse'),
    sandbox: join(data, 'sandbox'),
    credentials: join(data, 'credentials'),
    run: join(root, 'run'),
  }
}

/** A data directory that another process uses. */
export class DirectoryInUseError extends Error {
  override readonly name = 'DirectoryInUseError'
}

/** Makes the folders and takes the directory for this process until disposed. Throws DirectoryInUseError. */
export function takeFolders(folders: Folders): Disposable {
  for (const folder of [folders.tools, folders.sandbox, folders.credentials, folders.run]) {
    mkdirSync(folder, { recursive: true })
  }
  const lock = join(folders.run, 'pid')
  const owner = readOwner(lock, 'demo/src/main.ts')
  if (owner !== undefined && owner !== process.pid) {
    throw new DirectoryInUseError(`${folders.root} is in use by process ${owner}; stop it or name another --data-dir`)
  }
  writeFileSync(lock, String(process.pid))
  return { [Symbol.dispose]: () => rmSync(lock, { force: true }) }
}
