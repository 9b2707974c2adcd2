import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { unzipSync } from 'fflate'
import { PKPass } from 'passkit-generator'
import { buildPass, bundlePasses, type PassJson, prepareAssets, readPass, verifyPass } from './index.ts'
import { identity, images, memberPass, now, type TestIssuer, testIssuer } from './testing/fixture.ts'
import { hasOpenssl, opensslVerifies, scratchFolder, systemUnzips } from './testing/oracles.ts'
import { testPng } from './testing/png.ts'

/** One kind of bundle. */
interface Shape {
  readonly pass: PassJson
  readonly images: Readonly<Record<string, Buffer>>
}

const minimal = {
  formatVersion: 1,
  ...identity,
  serialNumber: '1',
  organizationName: 'Demo',
  description: 'Demo card',
} as const
const icon = { 'icon.png': testPng(38, 38, 0x224466) }

const shapes: Readonly<Record<string, Shape>> = {
  'a store card': { pass: memberPass, images },
  'a coupon': { pass: { ...minimal, coupon: { primaryFields: [{ key: 'offer', value: '-20 %' }] } }, images },
  'a generic pass with a thumbnail': {
    pass: { ...minimal, generic: { primaryFields: [{ key: 'name', value: 'Анна' }] } },
    images: { ...images, 'thumbnail.png': testPng(90, 90, 0x334455) },
  },
  'the least that there can be': { pass: { ...minimal, storeCard: {} }, images: icon },
}

let issuer: TestIssuer

before(async () => {
  issuer = await testIssuer()
})

/** SHA-1 by path, as the manifest of a bundle lists them. */
function manifestOf(files: Readonly<Record<string, Uint8Array>>): unknown {
  return JSON.parse(Buffer.from(files['manifest.json'] ?? []).toString())
}

/** What passkit-generator makes of the same files, unpacked. */
function passkitFiles({ pass, images }: Shape): Readonly<Record<string, Uint8Array>> {
  const { certPem, keyPem, wwdrPem } = issuer.credentials
  const buffers = { ...images, 'pass.json': Buffer.from(JSON.stringify(pass)) }
  const made = new PKPass(buffers, { signerCert: certPem, signerKey: keyPem, wwdr: wwdrPem })
  return unzipSync(made.getAsBuffer())
}

/** For JSON.parse. */
function withoutEmptyLists(_key: string, value: unknown): unknown {
  return Array.isArray(value) && value.length === 0 ? undefined : value
}

function build({ pass, images }: Shape): Promise<Buffer> {
  return buildPass({ pass, assets: prepareAssets(images) }, issuer.signer, now)
}

for (const [name, shape] of Object.entries(shapes)) {
  describe(name, () => {
    it('verifies with openssl cms, and no longer with a changed manifest', async (t) => {
      if (!hasOpenssl(t)) return
      const { manifest, signature } = readPass(await build(shape))
      const folder = scratchFolder(t)
      const files = { manifest, signature, rootPem: issuer.authority.rootPem }
      const [accepted, reason] = opensslVerifies(folder, files, now)
      assert.ok(accepted, reason)
      const changed = { ...files, manifest: Buffer.concat([manifest, Buffer.from(' ')]) }
      assert.equal(opensslVerifies(folder, changed, now)[0], false)
    })

    it('is unzipped by the system', async (t) => {
      const bundle = await build(shape)
      const names = systemUnzips(t, scratchFolder(t), bundle)
      if (names === undefined) return
      assert.deepEqual(
        [...names].sort(),
        [...Object.keys(shape.images), 'manifest.json', 'pass.json', 'signature'].sort(),
      )
    })

    it('has the manifest that passkit-generator makes of the same files', async () => {
      const theirs = passkitFiles(shape)
      const text = Buffer.from(theirs['pass.json'] ?? []).toString()
      // passkit-generator writes pass.json anew, the style last and with all groups of fields: it must say the same.
      assert.deepEqual(JSON.parse(text, withoutEmptyLists), shape.pass)
      const pass = JSON.parse(text) as PassJson
      assert.deepEqual(manifestOf(unzipSync(await build({ ...shape, pass }))), manifestOf(theirs))
    })

    it('verifies as a phone would, and is what went in', async () => {
      assert.deepEqual(verifyPass(await build(shape), issuer.authority.rootPem, now).pass, shape.pass)
    })
  })
}

describe('several passes in one file', () => {
  it('are each a pass that verifies', async (t) => {
    const passes = await Promise.all(Object.values(shapes).map(build))
    const bundle = bundlePasses(passes)
    const names = systemUnzips(t, scratchFolder(t), bundle)
    if (names !== undefined) assert.equal(names.length, passes.length)
    for (const member of Object.values(unzipSync(bundle))) verifyPass(member, issuer.authority.rootPem, now)
  })
})
