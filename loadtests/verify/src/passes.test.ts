import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { tempDir } from '@stampede/platform/testing'
import { createAuthority } from '@stampede/sandbox'
import { type TestPass, testPass } from '@stampede/sandbox/testing'
import type { Finding } from './findings.ts'
import { checkBundles } from './passes.ts'

const skip = spawnSync('openssl', ['version']).status === 0 ? false : 'LOUD SKIP: there is no openssl on this machine'

const home = tempDir('authority')
after(() => home[Symbol.dispose]())
const authority = createAuthority(home.path)
const certificate = authority.issuePassCertificate({ passTypeId: 'pass.example.demo', teamId: 'TEAM000001' })

async function check(pass: Omit<TestPass, 'certificate'>, openssl?: string): Promise<Finding> {
  using folder = tempDir('bundles')
  writeFileSync(join(folder.path, 'a.pkpass'), testPass({ certificate, ...pass }))
  return await checkBundles(folder.path, authority.rootPath, openssl)
}

test('openssl accepts a good bundle', { skip }, async () => {
  assert.equal((await check({})).ok, true)
})

for (const [name, complaint] of [
  ['pass.json', /pass\.json is not what the manifest says/],
  ['icon.png', /icon\.png is not what the manifest says/],
  ['manifest.json', /manifest/],
  ['signature', /./],
] as const) {
  test(`one flipped byte in ${name} is found`, { skip }, async () => {
    const finding = await check({
      tamper: (files) => {
        const bytes = Buffer.from(files.get(name) ?? [])
        const place = bytes.length - 10
        bytes[place] = (bytes[place] ?? 0) ^ 1
        files.set(name, bytes)
      },
    })
    assert.equal(finding.ok, false)
    assert.match(finding.ok === false ? finding.row : '', complaint)
  })
}

test('a manifest that was replaced with its files is refused by openssl', { skip }, async () => {
  const finding = await check({
    tamper: (files) => {
      for (const name of files.keys()) if (name !== 'signature') files.delete(name)
      files.set('manifest.json', Buffer.from('{}'))
    },
  })
  assert.match(finding.ok === false ? finding.row : '', /a\.pkpass: .*(fail|digest|verif)/i)
})

test('a file that is no archive is found', { skip }, async () => {
  using folder = tempDir('bundles')
  const bundles = folder.path
  writeFileSync(join(bundles, 'a.pkpass'), 'not an archive')
  const finding = await checkBundles(bundles, join(folder.path, 'root.pem'))
  assert.match(finding.ok === false ? finding.row : '', /cannot be unpacked/)
})

test('without openssl the check is skipped, and says so', async (context) => {
  const said = context.mock.method(console, 'error', () => undefined)
  const finding = await check({}, '/nonexistent/openssl')
  assert.equal(finding.ok, 'skipped')
  assert.match(String(said.mock.calls[0]?.arguments[0]), /^LOUD SKIP/)
})
