import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { unzipSync } from 'fflate'
import { PKPass } from 'passkit-generator'
import {
  buildPass,
  bundlePasses,
  MAX_BUNDLED_PASSES,
  type PassJson,
  prepareAssets,
  readPass,
  verifyPass,
} from './index.ts'
import { now, type TestIssuer, testIssuer } from './testing/fixture.ts'
import { hasOpenssl, opensslVerifies, scratchFolder, systemUnzips } from './testing/oracles.ts'
import { type Shape, shapes } from './testing/shapes.ts'

type Files = Readonly<Record<string, Uint8Array>>

let issuer: TestIssuer

before(async () => {
  issuer = await testIssuer(true)
})

function build({ pass, images, languages }: Shape): Promise<Buffer> {
  return buildPass({ pass, assets: prepareAssets(images, languages) }, issuer.signer, now)
}

/** All paths of a bundle. */
function pathsOf({ images, languages = {} }: Shape): readonly string[] {
  const strings = Object.keys(languages).map((language) => `${language}.lproj/pass.strings`)
  return [...Object.keys(images), ...strings, 'manifest.json', 'pass.json', 'signature'].sort()
}

/** What passkit-generator makes of the same files, unpacked. */
function passkitFiles({ pass, images, languages = {} }: Shape): Files {
  const { certPem, keyPem, wwdrPem } = issuer.credentials
  const buffers = { ...images, 'pass.json': Buffer.from(JSON.stringify(pass)) }
  const made = new PKPass(buffers, { signerCert: certPem, signerKey: keyPem, wwdr: wwdrPem })
  for (const [language, texts] of Object.entries(languages)) made.localize(language, texts)
  return unzipSync(made.getAsBuffer())
}

/** SHA-1 by path, as the manifest says, without those of texts: passkit-generator writes UTF-8, we Apple's UTF-16. */
function digestsOf(files: Files): unknown {
  const digests: object = JSON.parse(Buffer.from(files['manifest.json'] ?? []).toString())
  return Object.fromEntries(Object.entries(digests).map(([path, sha1]) => [path, isStrings(path) ? 'texts' : sha1]))
}

/** The texts of all languages, decoded. */
function textsOf(files: Files): unknown {
  const strings = Object.entries(files).filter(([path]) => isStrings(path))
  return Object.fromEntries(
    strings.map(([path, bytes]) => {
      const isUtf16 = bytes[0] === 0xff && bytes[1] === 0xfe
      return [path, new TextDecoder(isUtf16 ? 'utf-16le' : 'utf-8', { fatal: true }).decode(bytes).trim()]
    }),
  )
}

function isStrings(path: string): boolean {
  return path.endsWith('.lproj/pass.strings')
}

/** Without what passkit-generator changes: it writes all groups of fields, the empty ones too, and dates in UTC. */
function normalised(json: string): unknown {
  return JSON.parse(json, (_key, value: unknown) => {
    if (Array.isArray(value) && value.length === 0) return undefined
    return typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? Date.parse(value) : value
  })
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
      const names = systemUnzips(t, scratchFolder(t), await build(shape))
      if (names !== undefined) assert.deepEqual(names.toSorted(), pathsOf(shape))
    })

    it('has the manifest that passkit-generator makes of the same files', async () => {
      const theirs = passkitFiles(shape)
      const text = Buffer.from(theirs['pass.json'] ?? []).toString()
      // passkit-generator writes pass.json anew, in another order: it says the same, and from it we make the same bytes.
      assert.deepEqual(normalised(text), normalised(JSON.stringify(shape.pass)))
      const ours = unzipSync(await build({ ...shape, pass: JSON.parse(text) as PassJson }))
      assert.deepEqual(digestsOf(ours), digestsOf(theirs))
      assert.deepEqual(textsOf(ours), textsOf(theirs))
    })

    it('verifies as a phone would, and is what went in', async () => {
      assert.deepEqual(verifyPass(await build(shape), issuer.authority.rootPem, now).pass, shape.pass)
    })
  })
}

describe('several passes in one file', () => {
  it('are each a pass that verifies', async (t) => {
    const passes = await Promise.all(Object.values(shapes).slice(0, MAX_BUNDLED_PASSES).map(build))
    const bundle = bundlePasses(passes)
    const names = systemUnzips(t, scratchFolder(t), bundle)
    if (names !== undefined) assert.equal(names.length, passes.length)
    for (const member of Object.values(unzipSync(bundle))) verifyPass(member, issuer.authority.rootPem, now)
  })
})
