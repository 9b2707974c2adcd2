import { spawn } from 'node:child_process'
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
  return holds(invariant, `${fetched} fetched passes`)
}

/** The kept bundles verify by openssl, which knows nothing of our code. */
export async function checkBundles(folder: string, caFile: string): Promise<Finding> {
  const invariant = 'a sample of fetched passes verifies by openssl cms'
  if (!(await hasOpenssl())) {
    console.error('LOUD SKIP: there is no openssl on this machine; the sample of passes was not checked by it')
    return { ok: 'skipped', invariant, why: 'no openssl on this machine' }
  }
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.pkpass')) : []
  const work = mkdtempSync(join(tmpdir(), 'stampede-verify-'))
  try {
    for (const file of files) {
      const complaint = await verifyBundle(readFileSync(join(folder, file)), caFile, work)
      if (complaint !== undefined) return broken(invariant, `${file}: ${complaint}`)
    }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return holds(invariant, `${files.length} bundles`)
}

/** Undefined when openssl accepts the bundle's signature over its manifest, else why not. */
async function verifyBundle(bytes: Uint8Array, caFile: string, work: string): Promise<string | undefined> {
  const { signature, 'manifest.json': manifest } = unzipSync(bytes)
  if (signature === undefined || manifest === undefined) return 'has no signature or no manifest'
  const [signatureFile, manifestFile] = [join(work, 'signature'), join(work, 'manifest.json')]
  writeFileSync(signatureFile, signature)
  writeFileSync(manifestFile, manifest)
  const args = ['cms', '-verify', '-inform', 'DER', '-in', signatureFile, '-content', manifestFile, '-binary']
  const { exitCode, output } = await run('openssl', [
    ...args,
    '-CAfile',
    caFile,
    '-purpose',
    'any',
    '-out',
    '/dev/null',
  ])
  return exitCode === 0 ? undefined : (output.trim().split('\n').at(-1) ?? 'refused')
}

async function hasOpenssl(): Promise<boolean> {
  return run('openssl', ['version']).then(
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
