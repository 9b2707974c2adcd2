import { hash } from 'node:crypto'
import type { PreparedAssets } from './assets.ts'
import { checkLife } from './certificate.ts'
import { PkpassError } from './errors.ts'
import type { PassJson } from './pass-json.ts'
import type { Signer } from './signer.ts'
import { validatePassJson } from './validate.ts'
import { zipChunks, zipFile } from './zip.ts'

/** MIME type of one bundle. */
export const PKPASS_CONTENT_TYPE = 'application/vnd.apple.pkpass'
/** Largest pass.json, in bytes. */
export const MAX_PASS_JSON_BYTES = 64 * 1024

/** From this length on pass.json is deflated: below, deflating saves 2 % of the bundle and costs 8 % of the passes. */
const DEFLATE_FROM_BYTES = 4 * 1024
const sha1HexChars = 40

/** What one bundle is made of. */
export interface PassFiles {
  readonly pass: PassJson
  /** Prepared once per design. */
  readonly assets: PreparedAssets
}

/** Builds and signs a .pkpass; throws PkpassError when the pass is invalid or belongs to another certificate. */
export async function buildPass(files: PassFiles, signer: Signer, signingTime: Date): Promise<Buffer> {
  return Buffer.concat(await buildPassChunks(files, signer, signingTime))
}

/**
 * Like `buildPass`, in pieces to be sent one after the other. The first and largest holds the design's images and is
 * shared by all its passes: none may be changed. For servers: a copy of the images for each pass, outside the heap,
 * makes V8 mark the whole heap every few hundred passes.
 */
export async function buildPassChunks(
  files: PassFiles,
  signer: Signer,
  signingTime: Date,
): Promise<readonly Uint8Array[]> {
  const pass = validatePassJson(files.pass)
  checkSigner(pass, signer, signingTime)
  const passBytes = Buffer.from(JSON.stringify(pass))
  if (passBytes.length > MAX_PASS_JSON_BYTES) {
    throw new PkpassError('TOO_LARGE', 'pass.json', `has more than ${MAX_PASS_JSON_BYTES} bytes`)
  }
  const manifest = renderManifest(passBytes, files.assets)
  const signature = await signer.sign(manifest, signingTime)
  return zipChunks(files.assets.packed, [
    zipFile('pass.json', passBytes, passBytes.length < DEFLATE_FROM_BYTES ? 'store' : 'deflate'),
    // Digests, signatures and certificates hardly shrink.
    zipFile('manifest.json', manifest, 'store'),
    zipFile('signature', signature, 'store'),
  ])
}

// Stops a mistake in wiring from ever signing one brand's card with another's certificate.
function checkSigner(pass: PassJson, signer: Signer, signingTime: Date): void {
  checkLife(signer, signingTime)
  if (pass.passTypeIdentifier !== signer.passTypeIdentifier) {
    throw new PkpassError('INVALID_PASS', 'passTypeIdentifier', 'is not the certificate’s')
  }
  if (pass.teamIdentifier !== signer.teamIdentifier) {
    throw new PkpassError('INVALID_PASS', 'teamIdentifier', 'is not the certificate’s')
  }
  if (pass.nfc !== undefined && !signer.nfc) {
    throw new PkpassError('INVALID_PASS', 'nfc', 'needs an NFC certificate')
  }
}

/** The manifest up to the digest of pass.json, by design: it is all that differs from card to card. */
const manifestHeads = new WeakMap<PreparedAssets, Buffer>()

function renderManifest(passBytes: Uint8Array, assets: PreparedAssets): Buffer {
  let head = manifestHeads.get(assets)
  if (head === undefined) {
    head = manifestHead(assets)
    manifestHeads.set(assets, head)
  }
  const manifest = Buffer.allocUnsafe(head.length + sha1HexChars + 2)
  manifest.set(head)
  manifest.write(`${hash('sha1', passBytes, 'hex')}"}`, head.length, 'latin1')
  return manifest
}

function manifestHead({ digests }: PreparedAssets): Buffer {
  const entries = [...digests].map(([name, digest]) => `${JSON.stringify(name)}:"${digest}",`)
  return Buffer.from(`{${entries.join('')}"pass.json":"`)
}
