import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { zipSync } from 'fflate'
import {
  buildPass,
  createSigner,
  type PassJson,
  PkpassError,
  prepareImages,
  readPass,
  type Signer,
  verifyPass,
} from './index.ts'
import { createTestAuthority, type PassCredentials, type TestAuthority, testPng } from './testing/index.ts'

const now = new Date('2026-11-21T10:00:00Z')
const identity = { passTypeIdentifier: 'pass.example.demo', teamIdentifier: 'ABCDE12345' }
const images = prepareImages({
  'icon.png': testPng(38, 38, 0x224466),
  'icon@2x.png': testPng(76, 76, 0x224466),
  'logo.png': testPng(160, 50, 0x882211),
})
const pass: PassJson = {
  formatVersion: 1,
  ...identity,
  serialNumber: 'a-serial',
  organizationName: 'Demo',
  description: 'Demo card',
  storeCard: { primaryFields: [{ key: 'points', label: 'Points', value: 12, changeMessage: 'Now %@' }] },
  backgroundColor: 'rgb(1, 2, 255)',
  barcodes: [{ format: 'PKBarcodeFormatQR', message: 'Grüße €', messageEncoding: 'utf-8' }],
  webServiceURL: 'https://example.test',
  authenticationToken: '0123456789abcdef',
}

let authority: TestAuthority
let credentials: PassCredentials
let signer: Signer

before(async () => {
  authority = await createTestAuthority(now)
  credentials = await authority.issue(identity)
  signer = await createSigner({ ...credentials, ...identity }, now)
})

function refused(code: string, path: string) {
  return (error: unknown) => {
    assert.ok(error instanceof PkpassError, String(error))
    assert.deepEqual([error.code, error.path], [code, path], error.message)
    return true
  }
}

describe('a built pass', () => {
  it('is read back and verifies', async () => {
    const bundle = await buildPass({ pass, images }, signer, now)
    const verified = verifyPass(bundle, authority.rootPem, now)
    assert.deepEqual(verified.pass, pass)
    assert.equal(verified.signingTime.getTime(), now.getTime())
    assert.deepEqual([...verified.files.keys()].sort(), [
      'icon.png',
      'icon@2x.png',
      'logo.png',
      'manifest.json',
      'pass.json',
      'signature',
    ])
  })

  it('stores PNG files as they are and compresses pass.json', async () => {
    const bundle = await buildPass({ pass, images }, signer, now)
    const methodOf = (name: string) => {
      const at = bundle.indexOf(Buffer.from(name))
      return bundle.readUInt16LE(at - 30 + 8)
    }
    assert.equal(methodOf('icon.png'), 0)
    assert.equal(methodOf('pass.json'), 8)
    assert.equal(bundle.readUInt16LE(6) & 8, 0, 'no data descriptors')
  })

  it('is opened by other zip readers', async (t) => {
    const python = spawnSync('python3', ['--version'])
    if (python.status !== 0) return t.skip('SKIPPED LOUDLY: no python3 for the zip differential')
    const folder = mkdtempSync(join(tmpdir(), 'pkpass-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'a.pkpass')
    writeFileSync(file, await buildPass({ pass, images }, signer, now))
    const script =
      'import sys,zipfile;z=zipfile.ZipFile(sys.argv[1]);assert z.testzip() is None;print(len(z.namelist()))'
    const run = spawnSync('python3', ['-c', script, file], { encoding: 'utf8' })
    assert.equal(run.stdout.trim(), '6', run.stderr)
  })

  it('verifies with openssl cms', async (t) => {
    if (spawnSync('openssl', ['version']).status !== 0) return t.skip('SKIPPED LOUDLY: no openssl for the CMS oracle')
    const folder = mkdtempSync(join(tmpdir(), 'pkpass-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const { manifest, signature } = readPass(await buildPass({ pass, images }, signer, now))
    writeFileSync(join(folder, 'manifest.json'), manifest)
    writeFileSync(join(folder, 'signature'), signature)
    writeFileSync(join(folder, 'root.pem'), authority.rootPem)
    const verify = ['cms', '-verify', '-inform', 'DER', '-in', 'signature', '-content', 'manifest.json', '-binary']
    const at = String(Math.floor(now.getTime() / 1000))
    const trust = ['-CAfile', 'root.pem', '-purpose', 'any', '-attime', at, '-out', 'out']
    const good = spawnSync('openssl', [...verify, ...trust], { cwd: folder, encoding: 'utf8' })
    assert.equal(good.status, 0, good.stderr)
    writeFileSync(join(folder, 'manifest.json'), Buffer.concat([manifest, Buffer.from(' ')]))
    assert.notEqual(spawnSync('openssl', [...verify, ...trust], { cwd: folder }).status, 0, 'a changed manifest fails')
  })

  it('accepts what openssl cms signs', async (t) => {
    if (spawnSync('openssl', ['version']).status !== 0) return t.skip('SKIPPED LOUDLY: no openssl for the CMS oracle')
    const folder = mkdtempSync(join(tmpdir(), 'pkpass-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const present = new Date()
    const fresh = await createTestAuthority(present)
    const material = await fresh.issue(identity)
    const files = readPass(await buildPass({ pass, images }, signer, now)).files
    writeFileSync(join(folder, 'manifest.json'), files.get('manifest.json') ?? '')
    writeFileSync(join(folder, 'leaf.pem'), material.certPem)
    writeFileSync(join(folder, 'wwdr.pem'), material.wwdrPem)
    writeFileSync(join(folder, 'key.pem'), material.keyPem)
    const sign = 'cms -sign -binary -nosmimecap -signer leaf.pem -inkey key.pem -certfile wwdr.pem -outform DER'
    const run = spawnSync('openssl', [...sign.split(' '), '-in', 'manifest.json'], { cwd: folder })
    assert.equal(run.status, 0, run.stderr.toString())
    const bundle = zipSync({ ...Object.fromEntries(files), signature: new Uint8Array(run.stdout) })
    assert.equal(verifyPass(bundle, fresh.rootPem, new Date()).pass.serialNumber, 'a-serial')
  })

  it('is refused for another certificate’s pass type', async () => {
    const other = { ...pass, passTypeIdentifier: 'pass.example.other' }
    await assert.rejects(buildPass({ pass: other, images }, signer, now), refused('INVALID_PASS', 'passTypeIdentifier'))
    const team = { ...pass, teamIdentifier: 'ZZZZZ12345' }
    await assert.rejects(buildPass({ pass: team, images }, signer, now), refused('INVALID_PASS', 'teamIdentifier'))
  })
})

describe('verification', () => {
  async function rebuilt(change: (files: Record<string, Uint8Array>) => void): Promise<Uint8Array> {
    const files = Object.fromEntries(readPass(await buildPass({ pass, images }, signer, now)).files)
    change(files)
    return zipSync(files)
  }

  it('refuses a changed pass.json', async () => {
    const bundle = await rebuilt((files) => {
      files['pass.json'] = Buffer.from(JSON.stringify({ ...pass, description: 'x' }))
    })
    assert.throws(() => verifyPass(bundle, authority.rootPem, now), refused('INVALID_BUNDLE', 'pass.json'))
  })

  it('refuses a file that the manifest does not know, and one that is missing', async () => {
    const more = await rebuilt((files) => {
      files['strip.png'] = testPng(1, 1, 0)
    })
    assert.throws(() => verifyPass(more, authority.rootPem, now), refused('INVALID_BUNDLE', 'strip.png'))
    const less = await rebuilt((files) => {
      delete files['logo.png']
    })
    assert.throws(() => verifyPass(less, authority.rootPem, now), refused('INVALID_BUNDLE', 'logo.png'))
  })

  it('refuses a signature over another manifest', async () => {
    const other = readPass(await buildPass({ pass: { ...pass, serialNumber: 'b' }, images }, signer, now))
    const bundle = await rebuilt((files) => {
      files['signature'] = other.signature
    })
    assert.throws(() => verifyPass(bundle, authority.rootPem, now), refused('INVALID_SIGNATURE', 'signature'))
  })

  it('refuses every flipped bit of the signature value', async () => {
    const { signature } = readPass(await buildPass({ pass, images }, signer, now))
    const broken = Uint8Array.from(signature)
    const last = broken.length - 10
    broken[last] = (broken[last] ?? 0) ^ 1
    const bundle = await rebuilt((files) => {
      files['signature'] = broken
    })
    assert.throws(() => verifyPass(bundle, authority.rootPem, now), refused('INVALID_SIGNATURE', 'signature'))
  })

  it('refuses a root that is not trusted, and a signature from the future', async () => {
    const bundle = await buildPass({ pass, images }, signer, now)
    const stranger = await createTestAuthority(now)
    assert.throws(() => verifyPass(bundle, stranger.rootPem, now), refused('INVALID_SIGNATURE', 'signature'))
    const earlier = new Date(now.getTime() - 3_600_000)
    assert.throws(() => verifyPass(bundle, authority.rootPem, earlier), refused('INVALID_SIGNATURE', 'signature'))
  })

  it('accepts a pass that was signed inside the life of a certificate that has since expired', async () => {
    const bundle = await buildPass({ pass, images }, signer, now)
    const later = new Date('2029-01-01T00:00:00Z')
    assert.equal(verifyPass(bundle, authority.rootPem, later).pass.serialNumber, 'a-serial')
  })

  it('refuses what is no zip', () => {
    assert.throws(() => readPass(Buffer.from('hello')), refused('INVALID_BUNDLE', 'bundle'))
    assert.throws(() => readPass(Buffer.alloc(5 * 1024 * 1024)), refused('TOO_LARGE', 'bundle'))
    assert.throws(() => readPass(zipSync({ '../x': new Uint8Array(1) })), refused('INVALID_BUNDLE', '../x'))
  })
})

describe('a signer', () => {
  it('refuses a certificate of another pass type or team', async () => {
    const input = { ...credentials, ...identity, passTypeIdentifier: 'pass.example.other' }
    await assert.rejects(createSigner(input, now), refused('INVALID_CERTIFICATE', 'certificate.subject.UID'))
    const team = { ...credentials, ...identity, teamIdentifier: 'ZZZZZ12345' }
    await assert.rejects(createSigner(team, now), refused('INVALID_CERTIFICATE', 'certificate.subject.OU'))
  })

  it('refuses a certificate outside its life, now and at the signing time', async () => {
    const input = { ...credentials, ...identity }
    const later = new Date('2028-01-01T00:00:00Z')
    await assert.rejects(createSigner(input, later), refused('INVALID_CERTIFICATE', 'certificate.validity'))
    await assert.rejects(
      buildPass({ pass, images }, signer, later),
      refused('INVALID_CERTIFICATE', 'certificate.validity'),
    )
  })

  it('refuses a key, an intermediate or a usage that does not fit', async () => {
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
  })
})
