import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  assertCredentialMatchesHost,
  credentialShard,
  isAppleIssued,
  parseAppleCredential,
  parseGoogleCredential,
} from './credential-files.ts'
import { openCredentials } from './credentials.ts'
import { tempDir, testCertificate, testParts, until } from './testing/index.ts'

const { logger } = testParts()
const appleName = 'Apple Worldwide Developer Relations Certification Authority'

function issue(issuerName: string) {
  const authority = testCertificate({ commonName: issuerName, authority: true })
  const leaf = testCertificate({
    commonName: 'Pass Type ID: pass.test',
    issuer: { ...authority, commonName: issuerName },
  })
  return { file: `${leaf.certPem}${authority.certPem}${leaf.keyPem}`, leaf, authority }
}

test('an Apple credential is read in any order of its parts, and refused when one is missing or foreign', () => {
  const { leaf, authority } = issue('Test WWDR')
  const credential = parseAppleCredential(`${leaf.keyPem}${authority.certPem}${leaf.certPem}`)
  assert.equal(credential.fingerprint, new X509Certificate(leaf.certPem).fingerprint256)
  assert.equal(credential.wwdrPem, authority.certPem)
  const stranger = issue('Stranger')
  assert.throws(() => parseAppleCredential(`${leaf.certPem}${authority.certPem}`), /no private key/)
  assert.throws(() => parseAppleCredential(`${leaf.certPem}${leaf.keyPem}`), /certificate of the issuer/)
  assert.throws(() => parseAppleCredential(`${leaf.certPem}${authority.certPem}${stranger.leaf.keyPem}`), /private key/)
})

test('a Google credential needs an address and a key', () => {
  const { leaf } = issue('any')
  const text = JSON.stringify({ client_email: 'a@b.iam.gserviceaccount.com', private_key: leaf.keyPem })
  assert.deepEqual(parseGoogleCredential(text), {
    clientEmail: 'a@b.iam.gserviceaccount.com',
    privateKeyPem: leaf.keyPem,
  })
  assert.throws(() => parseGoogleCredential('{}'), /client_email/)
  assert.throws(() => parseGoogleCredential('{"client_email":"a","private_key":"b"}'), /private key is not readable/)
  assert.throws(() => parseGoogleCredential('no'), /not JSON/)
})

test("a sandbox's credential never goes to Apple, one that names Apple never elsewhere", () => {
  const sandbox = parseAppleCredential(issue('Test WWDR').file)
  assertCredentialMatchesHost(sandbox, 'localhost')
  assert.throws(() => assertCredentialMatchesHost(sandbox, 'api.push.apple.com'), /not Apple's/)
  assert.throws(() => assertCredentialMatchesHost(sandbox, 'API.PUSH.APPLE.COM.'), /not Apple's/)
  assertCredentialMatchesHost(sandbox, 'api.push.apple.com.evil.example')
  const forged = issue(appleName)
  assert.equal(isAppleIssued(forged.leaf.certPem), true, 'in doubt it counts as Apple’s')
  assert.equal(
    isAppleIssued(forged.leaf.certPem, issue(appleName).authority.certPem),
    true,
    'a foreign issuer proves nothing',
  )
  assert.equal(
    isAppleIssued(forged.leaf.certPem, forged.authority.certPem),
    false,
    'its issuer is proven to be another',
  )
})

test('credentials follow their files: new, replaced as a mounted Secret is, broken and removed', async () => {
  using dir = tempDir('credentials')
  const shard = join(dir.path, credentialShard('acme'))
  const publish = (version: string, files: Readonly<Record<string, string>>): void => {
    mkdirSync(join(dir.path, version))
    for (const [name, text] of Object.entries(files)) writeFileSync(join(dir.path, version, name), text)
    rmSync(shard, { force: true })
    symlinkSync(join(dir.path, version), shard)
  }
  const first = issue('Test WWDR')
  const second = issue('Test WWDR')
  const fingerprint = (pem: string): string => new X509Certificate(pem).fingerprint256
  await using credentials = await openCredentials({ dir: dir.path, logger })
  assert.equal(credentials.apple('acme'), undefined)
  const changed: string[] = []
  credentials.onChange((brand) => changed.push(brand))
  publish('v1', { 'acme.apple.pem': first.file })
  await until('the first one is there', () => changed.length === 1)
  assert.equal(credentials.apple('acme')?.fingerprint, fingerprint(first.leaf.certPem))
  publish('v2', { 'acme.apple.pem': second.file })
  await until('the second one is there', () => changed.length === 2)
  assert.equal(credentials.apple('acme')?.fingerprint, fingerprint(second.leaf.certPem))
  const account = JSON.stringify({ client_email: 'a@b', private_key: first.leaf.keyPem })
  publish('v3', { 'acme.apple.pem': 'broken', 'acme.google.json': account })
  await until('the account is there', () => credentials.google('acme') !== undefined)
  assert.equal(credentials.apple('acme')?.fingerprint, fingerprint(second.leaf.certPem), 'the last good one stays')
  publish('v4', {})
  await until('both are gone', () => credentials.google('acme') === undefined)
  assert.equal(credentials.apple('acme'), undefined)
})

test('a brand keeps its shard', () => {
  assert.equal(credentialShard('acme'), credentialShard('acme'))
  const shards = new Set(Array.from({ length: 2_000 }, (_, index) => credentialShard(`brand-${index}`)))
  assert.equal(shards.size, 64)
  for (const shard of shards) assert.match(shard, /^shard-\d\d$/)
})
