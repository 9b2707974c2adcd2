import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { toolsDir } from '../tools-dir.ts'

const sources = globSync('*.{c,h}', { cwd: import.meta.dirname })
  .sort()
  .map((file) => join(import.meta.dirname, file))
const flags = ['-O2', '-std=gnu11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror']
const libraries = ['-lssl', '-lcrypto', '-lnghttp2']
const buildDeadlineMs = 60_000

/** Path of a program, or why there is none. */
export type Built = { readonly ok: true; readonly path: string } | { readonly ok: false; readonly reason: string }

/** Compiles the sink once per state of its sources; later calls find it in the cache folder. Linux only (epoll). */
export function buildSink(): Built {
  const hash = createHash('sha256')
  for (const source of sources) hash.update(readFileSync(source)).update('\0')
  const path = join(toolsDir, `h2push-sink-${hash.digest('hex').slice(0, 16)}`)
  if (existsSync(path)) return { ok: true, path }
  if (process.platform !== 'linux') return { ok: false, reason: 'the sink needs Linux' }
  const compiler = ['cc', 'gcc', 'clang'].find((name) => spawnSync(name, ['--version']).status === 0)
  if (compiler === undefined) return { ok: false, reason: 'the sink needs a C compiler (Debian: apt install gcc)' }
  for (const header of ['openssl/ssl.h', 'nghttp2/nghttp2.h'])
    if (!hasHeader(compiler, header))
      return { ok: false, reason: `the sink needs ${header} (Debian: apt install libssl-dev libnghttp2-dev)` }
  mkdirSync(toolsDir, { recursive: true })
  // Renamed when complete, so that two builds at once do no harm.
  const partial = `${path}.${process.pid}`
  const code = sources.filter((source) => source.endsWith('.c'))
  const result = spawnSync(compiler, [...flags, '-o', partial, ...code, ...libraries], {
    encoding: 'utf8',
    timeout: buildDeadlineMs,
  })
  if (result.status !== 0) return { ok: false, reason: `the sink does not compile:\n${result.stderr}` }
  renameSync(partial, path)
  return { ok: true, path }
}

function hasHeader(compiler: string, header: string): boolean {
  return spawnSync(compiler, ['-E', '-x', 'c', '-'], { input: `#include <${header}>\n` }).status === 0
}
