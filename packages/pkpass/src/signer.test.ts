import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { ContentInfo, SignedData } from 'pkijs'
import { createSigner, type Signer } from './index.ts'
import { createTestAuthority, type PassCredentials, type TestAuthority } from './testing/authority.ts'
import { identity, now, refused, testIssuer } from './testing/fixture.ts'
import { hasOpenssl, scratchFolder } from './testing/oracles.ts'

let authority: TestAuthority
let credentials: PassCredentials
let signer: Signer

before(async () => {
  ;({ authority, credentials, signer } = await testIssuer())
})

describe('a signer is refused', () => {
  it('for a certificate of another pass type or team', async () => {
    const input = { ...credentials, ...identity, passTypeIdentifier: 'pass.example.other' }
    await assert.rejects(createSigner(input, now), refused('INVALID_CERTIFICATE', 'certificate.subject.UID'))
    const team = { ...credentials, ...identity, teamIdentifier: 'ZZZZZ12345' }
    await assert.rejects(createSigner(team, now), refused('INVALID_CERTIFICATE', 'certificate.subject.OU'))
  })

  it('for a certificate that has expired, or is not valid yet', async () => {
    const expired = await authority.issue({ ...identity, notAfter: new Date(now.getTime() - 1_000) })
    const path = 'certificate.validity'
    await assert.rejects(createSigner({ ...expired, ...identity }, now), refused('INVALID_CERTIFICATE', path))
    const early = await authority.issue({ ...identity, notBefore: new Date(now.getTime() + 60_000) })
    await assert.rejects(createSigner({ ...early, ...identity }, now), refused('INVALID_CERTIFICATE', path))
  })

  it('for an intermediate that has expired, even where the certificate has not', async () => {
    const old = await createTestAuthority(new Date('2019-01-01T00:00:00Z'))
    const material = await old.issue({ ...identity, notAfter: new Date('2030-01-01T00:00:00Z') })
    await assert.rejects(createSigner({ ...material, ...identity }, now), refused('INVALID_CERTIFICATE', 'wwdrPem'))
  })

  it('for a key, an intermediate or a usage that does not fit', async () => {
    const other = await authority.issue(identity)
    const wrongKey = { ...credentials, ...identity, keyPem: other.keyPem }
    await assert.rejects(createSigner(wrongKey, now), refused('INVALID_CERTIFICATE', 'keyPem'))
    const stranger = await createTestAuthority(now)
    const wrongChain = { ...credentials, ...identity, wwdrPem: stranger.wwdrPem }
    await assert.rejects(createSigner(wrongChain, now), refused('INVALID_CERTIFICATE', 'wwdrPem'))
    const tls = { ...(await authority.issue({ ...identity, forPasses: false })), ...identity }
    await assert.rejects(createSigner(tls, now), refused('INVALID_CERTIFICATE', 'certificate.extendedKeyUsage'))
    const text = { ...credentials, ...identity, certPem: 'nothing' }
    await assert.rejects(createSigner(text, now), refused('INVALID_CERTIFICATE', 'certPem'))
    const noKey = { ...credentials, ...identity, keyPem: 'nothing' }
    await assert.rejects(createSigner(noKey, now), refused('INVALID_CERTIFICATE', 'keyPem'))
  })
})

describe('a signer', () => {
  it('tells whether its certificate is the NFC-enabled kind', async () => {
    const nfc = { ...(await authority.issue({ ...identity, nfc: true })), ...identity }
    assert.deepEqual([signer.nfc, (await createSigner(nfc, now)).nfc], [false, true])
  })

  it('does not sign outside the certificate’s life, nor at no time at all', async () => {
    for (const time of ['2020-01-01T00:00:00Z', '2028-01-01T00:00:00Z', 'nonsense']) {
      const signing = signer.sign(Buffer.from('{}'), new Date(time))
      await assert.rejects(signing, refused('INVALID_CERTIFICATE', 'certificate.validity'))
    }
  })

  it('keeps signatures apart that are made at once', async () => {
    const manifests = Array.from({ length: 50 }, (_, index) => Buffer.from(`{"index":${index}}`))
    const times = manifests.map((_, index) => new Date(now.getTime() + index * 1_000))
    const signatures = await Promise.all(manifests.map((manifest, index) => signer.sign(manifest, times[index] ?? now)))
    for (const [index, signature] of signatures.entries()) {
      const [digest, time] = signedValues(signature)
      assert.equal(
        digest,
        createHash('sha256')
          .update(manifests[index] ?? '')
          .digest('hex'),
      )
      assert.equal(time, times[index]?.getTime())
    }
  })

  it('makes the structure that openssl cms makes, value by value', async (t) => {
    if (!hasOpenssl(t)) return
    const folder = scratchFolder(t)
    const present = new Date()
    const fresh = await createTestAuthority(present)
    const material = await fresh.issue(identity)
    const ours = await createSigner({ ...material, ...identity }, present)
    writeFileSync(join(folder, 'manifest.json'), '{"icon.png":"00"}')
    writeFileSync(join(folder, 'leaf.pem'), material.certPem)
    writeFileSync(join(folder, 'wwdr.pem'), material.wwdrPem)
    writeFileSync(join(folder, 'key.pem'), material.keyPem)
    writeFileSync(join(folder, 'ours'), await ours.sign(Buffer.from('{"icon.png":"00"}'), present))
    const command =
      'cms -sign -binary -nosmimecap -signer leaf.pem -inkey key.pem -certfile wwdr.pem -outform DER -in manifest.json -out theirs'
    const run = spawnSync('openssl', command.split(' '), { cwd: folder, encoding: 'utf8' })
    assert.equal(run.status, 0, run.stderr)
    assert.deepEqual(outline(folder, 'ours'), outline(folder, 'theirs'))
  })
})

/** Message digest, in hex, and signing time of a signature, as another library reads them. */
function signedValues(signature: Uint8Array): readonly [digest: string, timeMs: number] {
  const signed = new SignedData({ schema: ContentInfo.fromBER(new Uint8Array(signature)).content })
  const attributes = new Map(signed.signerInfos[0]?.signedAttrs?.attributes.map((item) => [item.type, item.values[0]]))
  const digest: unknown = attributes.get('1.2.840.113549.1.9.4')?.valueBlock.valueHexView
  const time: unknown = attributes.get('1.2.840.113549.1.9.5')?.toDate()
  assert.ok(digest instanceof Uint8Array && time instanceof Date)
  return [Buffer.from(digest).toString('hex'), time.getTime()]
}

/**
 * Depth, kind and object identifiers of all values; what differs between two signatures is left out, and so are two
 * choices that RFC 5754 leaves open: parameters of SHA-256 (NULL or none) and the name of RSA with SHA-256.
 */
function outline(folder: string, file: string): readonly string[] {
  const run = spawnSync('openssl', ['asn1parse', '-inform', 'DER', '-in', file], { cwd: folder, encoding: 'utf8' })
  assert.equal(run.status, 0, run.stderr)
  const values = run.stdout.split('\n').filter((line) => !/prim: NULL/.test(line))
  return values.map((line) => {
    const what = line.replace(/^ *\d+:(d=\d+) +hl=\d+ l= *\d+ /, '$1 ').replace(/(UTCTIME|OCTET STRING).*$/, '$1')
    return what.replace('sha256WithRSAEncryption', 'rsaEncryption')
  })
}
