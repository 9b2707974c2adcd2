// Programs that judge what the tests of this package make; not part of its test kit.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** A folder that is gone after the test. */
export function scratchFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'pkpass-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

/** Whether there is an openssl; skips the test loudly where there is none. */
export function hasOpenssl(t: TestContext): boolean {
  if (spawnSync('openssl', ['version']).status === 0) return true
  t.skip('SKIPPED LOUDLY: no openssl for the CMS oracle')
  return false
}

/** Whether `openssl cms -verify` accepts a signature over a manifest at an instant; the second value is its reason. */
export function opensslVerifies(
  folder: string,
  files: { readonly manifest: Uint8Array; readonly signature: Uint8Array; readonly rootPem: string },
  at: Date,
): readonly [accepted: boolean, reason: string] {
  writeFileSync(join(folder, 'manifest.json'), files.manifest)
  writeFileSync(join(folder, 'signature'), files.signature)
  writeFileSync(join(folder, 'root.pem'), files.rootPem)
  const args = ['cms', '-verify', '-inform', 'DER', '-in', 'signature', '-content', 'manifest.json', '-binary']
  const trust = ['-CAfile', 'root.pem', '-purpose', 'any', '-attime', String(Math.floor(at.getTime() / 1000))]
  const run = spawnSync('openssl', [...args, ...trust, '-out', 'verified'], { cwd: folder, encoding: 'utf8' })
  return [run.status === 0, run.stderr]
}

const python =
  'import sys,zipfile;z=zipfile.ZipFile(sys.argv[1]);assert z.testzip() is None;print("\\n".join(z.namelist()))'

/** The names of a zip that the system's own reader has tested whole; undefined and loudly skipped without a reader. */
export function systemUnzips(t: TestContext, folder: string, zip: Uint8Array): readonly string[] | undefined {
  const file = join(folder, 'a.zip')
  writeFileSync(file, zip)
  if (spawnSync('unzip', ['-v']).status === 0) {
    const tested = spawnSync('unzip', ['-tqq', file], { encoding: 'utf8' })
    assert.equal(tested.status, 0, tested.stdout + tested.stderr)
    return lines(spawnSync('unzip', ['-Z1', file], { encoding: 'utf8' }).stdout)
  }
  if (spawnSync('python3', ['--version']).status === 0) {
    const tested = spawnSync('python3', ['-c', python, file], { encoding: 'utf8' })
    assert.equal(tested.status, 0, tested.stderr)
    return lines(tested.stdout)
  }
  t.skip('SKIPPED LOUDLY: neither unzip nor python3 for the zip oracle')
  return undefined
}

function lines(text: string): readonly string[] {
  return text.trim().split('\n')
}
