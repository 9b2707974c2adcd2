import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Authority, createAuthority, type PassCertificate } from '../authority.ts'
import { PIXEL, type TestPass, temporaryDir, testPass } from '../testing/index.ts'
import { type BundleVerifier, createBundleVerifier } from './bundle.ts'
import { unzip } from './unzip.ts'

const YEAR_MS = 365 * 86_400_000
const reader = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'der' })
const nfc = { message: 'M-1', encryptionPublicKey: reader.toString('base64') }
let dir: Awaited<ReturnType<typeof temporaryDir>>
let authority: Authority
let certificate: PassCertificate
let verifier: BundleVerifier

before(async () => {
  dir = await temporaryDir()
  authority = createAuthority(dir.path)
  certificate = authority.issuePassCertificate({ passTypeId: 'pass.com.demo', teamId: 'DEMOTEAM01' })
  verifier = createBundleVerifier(authority.rootPem)
})
after(() => dir[Symbol.asyncDispose]())

test('a good pass is accepted', () => {
  const result = verifier.verify(testPass({ certificate }))
  assert.ok(result.ok, JSON.stringify(result))
  assert.equal(result.json.serialNumber, 'S-1')
})

test('a pass signed by openssl is accepted, and openssl accepts one signed here', () => {
  const at = (name: string): string => join(dir.path, name)
  const unzipped = unzip(testPass({ certificate }))
  assert.ok(unzipped.ok)
  writeFileSync(at('manifest.json'), unzipped.files.get('manifest.json') ?? '')
  writeFileSync(at('own.der'), unzipped.files.get('signature') ?? '')
  writeFileSync(at('leaf.pem'), certificate.leafPem)
  writeFileSync(at('key.pem'), certificate.keyPem)
  const trust = ['-CAfile', authority.wwdrPath, '-partial_chain', '-purpose', 'any', '-out', at('out')]
  const base = ['cms', '-verify', '-inform', 'DER', '-content', at('manifest.json'), '-binary', ...trust]
  execFileSync('openssl', [...base, '-in', at('own.der')], { stdio: 'pipe' })
  const signing = ['-signer', at('leaf.pem'), '-inkey', at('key.pem'), '-certfile', authority.wwdrPath]
  const input = ['-in', at('manifest.json'), '-outform', 'DER', '-out', at('theirs.der')]
  execFileSync('openssl', ['cms', '-sign', '-binary', '-nosmimecap', ...signing, ...input], { stdio: 'pipe' })
  const foreign = execFileSync('cat', [at('theirs.der')])
  const result = verifier.verify(testPass({ certificate, tamper: (files) => files.set('signature', foreign) }))
  assert.ok(result.ok, JSON.stringify(result))
})

type Case = readonly [name: string, reason: RegExp, pass: () => Omit<TestPass, 'certificate'> & Partial<TestPass>]

const damaged: readonly Case[] = [
  [
    'a changed image',
    /wrong hash of icon\.png/,
    () => ({ tamper: (f) => f.set('icon.png', Buffer.concat([PIXEL, PIXEL])) }),
  ],
  ['an unlisted file', /extra\.png is not listed/, () => ({ tamper: (f) => f.set('extra.png', PIXEL) })],
  [
    'a listed file that is absent',
    /icon@2x\.png is listed but not there/,
    () => ({ tamper: (f) => f.delete('icon@2x.png') }),
  ],
  ['a missing icon', /icon\.png is missing/, () => ({ files: { 'icon.png': null } })],
  ['an icon that is no PNG', /is not a PNG/, () => ({ files: { 'icon.png': Buffer.from('GIF89a') } })],
  ['no signature', /signature: missing/, () => ({ tamper: (f) => f.delete('signature') })],
  [
    'a manifest changed after signing',
    /message digest differs/,
    () => ({
      tamper: (f) => f.set('manifest.json', Buffer.concat([f.get('manifest.json') ?? PIXEL, Buffer.from(' ')])),
    }),
  ],
  [
    "a key that is not the certificate's",
    /signature does not verify/,
    () => ({
      certificate: {
        ...certificate,
        keyPem: authority.issuePassCertificate({ passTypeId: 'pass.com.demo', teamId: 'DEMOTEAM01' }).keyPem,
      },
    }),
  ],
  ['another team', /of another team/, () => ({ json: { teamIdentifier: 'OTHERTEAM1' } })],
  ['another pass type', /another pass type/, () => ({ json: { passTypeIdentifier: 'pass.com.other' } })],
  [
    'an expired certificate',
    /expired/,
    () => ({
      signedAtMs: Date.now() - YEAR_MS,
      certificate: authority.issuePassCertificate({
        passTypeId: 'pass.com.demo',
        teamId: 'DEMOTEAM01',
        notBeforeMs: Date.now() - 1.5 * YEAR_MS,
        notAfterMs: Date.now() - 1000,
      }),
    }),
  ],
  [
    'a signing time outside the certificate',
    /not valid at the signing time/,
    () => ({ signedAtMs: Date.now() - YEAR_MS }),
  ],
  ['a signing time in the future', /in the future/, () => ({ signedAtMs: Date.now() + 3_600_000 })],
  [
    'no intermediate but the leaf twice',
    /not issued by the intermediate/,
    () => ({
      certificate: { ...certificate, wwdrPem: certificate.leafPem },
    }),
  ],
  [
    'a web server certificate',
    /does not reach the root/,
    () => {
      const server = authority.issueServerCertificate(['localhost'])
      return {
        json: { passTypeIdentifier: 'pass.x', teamIdentifier: 'T' },
        certificate: { leafPem: server.certPem, keyPem: server.keyPem, wwdrPem: authority.webRootPem },
      }
    },
  ],
  ['a byte order mark', /byte order mark/, () => ({ files: { 'pass.json': Buffer.from('\ufeff{}') } })],
  [
    'a short authentication token',
    /shorter than 16/,
    () => ({ json: { webServiceURL: 'https://a.b', authenticationToken: 'short' } }),
  ],
  [
    'a web service without TLS',
    /not https/,
    () => ({ json: { webServiceURL: 'http://a.b', authenticationToken: 'x'.repeat(16) } }),
  ],
  ['eleven locations', /more than 10/, () => ({ json: { locations: Array(11).fill({ latitude: 1, longitude: 1 }) } })],
  ['a distance as text', /maxDistance/, () => ({ json: { maxDistance: '100' } })],
  ['two styles', /exactly one style/, () => ({ json: { coupon: {} } })],
  [
    'a field key twice',
    /there twice/,
    () => ({
      json: {
        storeCard: {
          backFields: [
            { key: 'a', value: 1 },
            { key: 'a', value: 2 },
          ],
        },
      },
    }),
  ],
  [
    'a number style on a text',
    /numberStyle/,
    () => ({
      json: { storeCard: { backFields: [{ key: 'a', value: 'b', numberStyle: 'PKNumberStyleDecimal' }] } },
    }),
  ],
  ['a colour in hex', /backgroundColor/, () => ({ json: { backgroundColor: '#ff0000' } })],
  ['NFC without the enhanced certificate', /enhanced/, () => ({ json: { nfc } })],
  ['NFC without a key', /encryptionPublicKey/, () => ({ json: { nfc: { message: 'M-1' } } })],
]

for (const [name, reason, make] of damaged) {
  test(`a pass with ${name} is refused`, () => {
    const result = verifier.verify(testPass({ certificate, ...make() }))
    assert.ok(!result.ok, 'it was accepted')
    assert.match(result.reason, reason)
  })
}

test('a pass with NFC is taken under the enhanced certificate', () => {
  const request = { passTypeId: 'pass.com.demo', teamId: 'DEMOTEAM01', nfc: true }
  const result = verifier.verify(testPass({ certificate: authority.issuePassCertificate(request), json: { nfc } }))
  assert.ok(result.ok, result.ok ? '' : result.reason)
})

test('a pass under another root is refused', async () => {
  await using elsewhere = await temporaryDir()
  const other = createAuthority(elsewhere.path).issuePassCertificate({
    passTypeId: 'pass.com.demo',
    teamId: 'DEMOTEAM01',
  })
  const result = verifier.verify(testPass({ certificate: other }))
  assert.ok(!result.ok)
  assert.match(result.reason, /does not reach the root/)
})

test('damaged zips are refused', () => {
  const good = testPass({ certificate })
  const flipped = Buffer.from(good)
  flipped[60] = (flipped[60] ?? 0) ^ 0xff
  for (const bytes of [Buffer.alloc(0), Buffer.from('no zip'), good.subarray(0, good.length - 30), flipped]) {
    assert.equal(verifier.verify(bytes).ok, false)
  }
})

test('the authority is the same after it is opened again', () => {
  const again = createAuthority(dir.path)
  assert.equal(again.rootPem, authority.rootPem)
  const leaf = new X509Certificate(again.issuePassCertificate({ passTypeId: 'pass.a', teamId: 'DEMOTEAM01' }).leafPem)
  assert.ok(leaf.verify(new X509Certificate(authority.wwdrPem).publicKey))
})
