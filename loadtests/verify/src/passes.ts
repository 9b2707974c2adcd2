import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PhoneRow } from '@stampede/sandbox'
import { unzipSync } from 'fflate'
import { broken, type Finding, holds } from './findings.ts'

/** Every pass that a phone fetched verified there. */
export async function checkFetches(rows: AsyncIterable<PhoneRow>): Promise<Finding> {
  const invariant = 'fetched passes verify on the phones'
  let fetched = 0
  for await (const row of rows) {
    if (row.event !== 'fetch' || row.status !== 200) continue
    fetched += 1
    if (!row.ok) return broken(invariant, `pass ${row.serial} on phone ${row.phone}: ${row.reason ?? 'refused'}`)
  }
  return holds(invariant, fetched, 'fetched passes')
}

/** The kept bundles verify by openssl, which knows nothing of our code. `openssl` is its program. */
export async function checkBundles(folder: string, caFile: string, openssl = 'openssl'): Promise<Finding> {
  const invariant = 'a sample of fetched passes verifies by openssl cms'
  if (!(await runs(openssl))) {
    console.error('LOUD SKIP: there is no openssl on this machine; the sample of passes was not checked by it')
    return { ok: 'skipped', invariant, why: 'no openssl on this machine' }
  }
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.pkpass')) : []
  const work = mkdtempSync(join(tmpdir(), 'stampede-verify-'))
  try {
    for (const file of files) {
      const complaint = await verifyBundle(readFileSync(join(folder, file)), { openssl, caFile, work })
      if (complaint !== undefined) return broken(invariant, `${file}: ${complaint}`)
    }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return holds(invariant, files.length, 'bundles')
}

interface Verification {
  readonly openssl: string
  readonly caFile: string
  /** Folder for temporary files. */
  readonly work: string
}

/** Undefined when every file is as the manifest says and openssl accepts the signature over it, else why not. */
async function verifyBundle(bytes: Uint8Array, { openssl, caFile, work }: Verification): Promise<string | undefined> {
  const files = unzip(bytes)
  if (files === undefined) return 'cannot be unpacked'
  const { signature, 'manifest.json': manifest, ...content } = files
  if (signature === undefined || manifest === undefined) return 'has no signature or no manifest'
  const changed = findChanged(manifest, content)
  if (changed !== undefined) return `${changed} is not what the manifest says`
  const [signatureFile, manifestFile] = [join(work, 'signature'), join(work, 'manifest.json')]
  writeFileSync(signatureFile, signature)
  writeFileSync(manifestFile, manifest)
  const input = ['-inform', 'DER', '-in', signatureFile, '-content', manifestFile, '-binary', '-out', '/dev/null']
  const args = ['cms', '-verify', ...input, '-CAfile', caFile, '-purpose', 'any']
  const { exitCode, output } = await run(openssl, args)
  return exitCode === 0 ? undefined : (output.trim().split('\n').at(-1) ?? 'refused')
}

function unzip(bytes: Uint8Array): Readonly<Record<string, Uint8Array>> | undefined {
  try {
    return unzipSync(bytes)
  } catch {
    return undefined
  }
}

/** The first file that is not in the manifest as it is, or is missing; the manifest itself when it is not JSON. */
function findChanged(manifest: Uint8Array, content: Readonly<Record<string, Uint8Array>>): string | undefined {
  const listed = parseManifest(manifest)
  if (listed === undefined) return 'manifest.json'
  const names = new Set([...Object.keys(listed), ...Object.keys(content)])
  return [...names].find((name) => {
    const bytes = content[name]
    return bytes === undefined || createHash('sha1').update(bytes).digest('hex') !== listed[name]
  })
}

function parseManifest(manifest: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(Buffer.from(manifest).toString('utf8')) as Readonly<Record<string, unknown>>
  } catch {
    return undefined
  }
}

async function runs(openssl: string): Promise<boolean> {
  return run(openssl, ['version']).then(
    ({ exitCode }) => exitCode === 0,
    () => false,
  )
}

const deadlineMs = 20_000

function run(command: string, args: readonly string[]): Promise<{ exitCode: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: deadlineMs })
    const parts: Buffer[] = []
    child.stderr.on('data', (part: Buffer) => parts.push(part))
    child.on('error', reject)
    child.on('close', (code) => resolve({ exitCode: code ?? 1, output: Buffer.concat(parts).toString('utf8') }))
  })
}
