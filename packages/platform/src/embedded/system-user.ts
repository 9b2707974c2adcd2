import { spawnSync } from 'node:child_process'
import { chownSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { EmbeddedError } from './embedded-error.ts'

/** An unprivileged user of this machine under which a server runs that refuses root. */
export interface SystemUser {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/** What a user must be able to do with a path: `x` runs or enters it, `r` reads it, `w` writes to it. */
export interface Access {
  readonly kind: 'r' | 'w' | 'x'
  readonly path: string
}

const candidates = ['postgres', 'nobody']
const probeTimeoutMs = 10_000

/** The user to switch to: undefined when this process is not root, else `postgres` or `nobody` of this machine. */
export function unprivilegedUser(): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const name of candidates) {
    const fields = lines.find((line) => line.startsWith(`${name}:`))?.split(':')
    const uid = Number(fields?.[2])
    const gid = Number(fields?.[3])
    if (Number.isInteger(uid) && Number.isInteger(gid) && uid > 0) return { name, uid, gid }
  }
  throw new EmbeddedError('PostgreSQL refuses to run as root, and /etc/passwd has neither a user postgres nor nobody')
}

/**
 * Whether the user can do all of this. The kernel is asked (by a shell under that user) because modes alone
 * do not know ACLs, mount options or closed folders further up.
 */
export function canAccess(user: SystemUser, wanted: readonly Access[]): boolean {
  const script = wanted.map((_, index) => `test -${wanted[index]?.kind} "$${index + 1}"`).join(' && ')
  const paths = wanted.map((access) => access.path)
  const probe = spawnSync('/bin/sh', ['-c', script, 'probe', ...paths], {
    uid: user.uid,
    gid: user.gid,
    cwd: '/',
    stdio: 'ignore',
    timeout: probeTimeoutMs,
  })
  return probe.status === 0
}

/** Gives a folder and all that it holds to the user. */
export function giveTo(user: SystemUser, path: string): void {
  chownSync(path, user.uid, user.gid)
  for (const entry of readdirSync(path)) {
    const child = join(path, entry)
    const info = lstatSync(child)
    if (info.isDirectory()) giveTo(user, child)
    else if (info.isFile()) chownSync(child, user.uid, user.gid)
  }
}
