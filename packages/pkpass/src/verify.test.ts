import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { zipSync } from 'fflate'
import { buildPass, prepareAssets, readPass, type Signer, verifyPass } from './index.ts'
import { createTestAuthority, type TestAuthority } from './testing/authority.ts'
import { identity, images, memberPass, now, refused, testIssuer } from './testing/fixture.ts'
import { hasOpenssl, scratchFolder } from './testing/oracles.ts'
import { testPng } from './testing/png.ts'
import { shapes } from './testing/shapes.ts'

const prepared = prepareAssets(images)
let authority: TestAuthority
let signer: Signer

before(async () => {
  ;({ authority, signer } = await testIssuer())
})

function build(): Promise<Buffer> {
  return buildPass({ pass: memberPass, assets: prepared }, signer, now)
}

describe('verification', () => {
  async function rebuilt(change: (files: Record<string, Uint8Array>) => void): Promise<Uint8Array> {
    const files = Object.fromEntries(readPass(await build()).files)
    change(files)
    return zipSync(files)
  }

  it('accepts what openssl cms signs', async (t) => {
    if (!hasOpenssl(t)) return
    const folder = scratchFolder(t)
    const fresh = await createTestAuthority(new Date())
    const material = await fresh.issue(identity)
    const files = readPass(await build()).files
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

  it('refuses a changed pass.json', async () => {
    const bundle = await rebuilt((files) => {
      files['pass.json'] = Buffer.from(JSON.stringify({ ...memberPass, description: 'x' }))
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
    const other = { ...memberPass, serialNumber: 'b' }
    const stolen = readPass(await buildPass({ pass: other, assets: prepared }, signer, now)).signature
    const bundle = await rebuilt((files) => {
      files['signature'] = stolen
    })
    assert.throws(() => verifyPass(bundle, authority.rootPem, now), refused('INVALID_SIGNATURE', 'signature'))
  })

  it('refuses a flipped bit of the signature value', async () => {
    const bundle = await rebuilt((files) => {
      const broken = Uint8Array.from(files['signature'] ?? [])
      const last = broken.length - 10
      broken[last] = (broken[last] ?? 0) ^ 1
      files['signature'] = broken
    })
    assert.throws(() => verifyPass(bundle, authority.rootPem, now), refused('INVALID_SIGNATURE', 'signature'))
  })

  it('refuses a pass for contactless readers that no NFC certificate signed', async () => {
    const { pass } = shapes['a pass for contactless readers'] ?? assert.fail()
    // Only a signer that lies about its certificate makes such a pass.
    const bundle = await buildPass({ pass, assets: prepared }, { ...signer, nfc: true }, now)
    assert.throws(() => verifyPass(bundle, authority.rootPem, now), refused('INVALID_SIGNATURE', 'signature'))
  })

  it('refuses a root that is not trusted, and a signature from the future', async () => {
    const bundle = await build()
    const stranger = await createTestAuthority(now)
    assert.throws(() => verifyPass(bundle, stranger.rootPem, now), refused('INVALID_SIGNATURE', 'signature'))
    const earlier = new Date(now.getTime() - 3_600_000)
    assert.throws(() => verifyPass(bundle, authority.rootPem, earlier), refused('INVALID_SIGNATURE', 'signature'))
  })

  it('accepts a pass that was signed inside the life of a certificate that has since expired', async () => {
    const later = new Date('2029-01-01T00:00:00Z')
    assert.equal(verifyPass(await build(), authority.rootPem, later).pass.serialNumber, 'a-serial')
  })

  it('refuses what is no zip', () => {
    assert.throws(() => readPass(Buffer.from('hello')), refused('INVALID_BUNDLE', 'bundle'))
    assert.throws(() => readPass(Buffer.alloc(5 * 1024 * 1024)), refused('TOO_LARGE', 'bundle'))
    assert.throws(() => readPass(zipSync({ '../x': new Uint8Array(1) })), refused('INVALID_BUNDLE', '../x'))
  })
})
