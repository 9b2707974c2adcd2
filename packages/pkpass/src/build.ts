import { createHash } from 'node:crypto'
import { PkpassError } from './errors.ts'
import type { PreparedImages } from './images.ts'
import type { PassJson } from './pass-json.ts'
import type { Signer } from './signer.ts'
import { validatePassJson } from './validate.ts'
import { joinZip, packFiles } from './zip.ts'

/** MIME type of one bundle. */
export const PKPASS_CONTENT_TYPE = 'application/vnd.apple.pkpass'
/** Largest pass.json, in bytes. */
export const MAX_PASS_JSON_BYTES = 64 * 1024

/** What one bundle is made of. */
export interface PassFiles {
  readonly pass: PassJson
  /** Prepared once per design. */
  readonly images: PreparedImages
}

/** Builds and signs a .pkpass; throws PkpassError when the pass is invalid or belongs to another certificate. */
export async function buildPass(files: PassFiles, signer: Signer, signingTime: Date): Promise<Buffer> {
  const pass = validatePassJson(files.pass)
  checkSigner(pass, signer)
  const passBytes = Buffer.from(JSON.stringify(pass))
  if (passBytes.length > MAX_PASS_JSON_BYTES) {
    throw new PkpassError('TOO_LARGE', 'pass.json', `has more than ${MAX_PASS_JSON_BYTES} bytes`)
  }
  const manifest = buildManifest(passBytes, files.images.digests)
  const signature = await signer.sign(manifest, signingTime)
  const texts = packFiles({ 'pass.json': passBytes, 'manifest.json': manifest }, false)
  // Signatures and certificates hardly shrink.
  return joinZip([files.images.packed, texts, packFiles({ signature }, true)])
}

// Stops a mistake in wiring from ever signing one brand's card with another's certificate.
function checkSigner(pass: PassJson, signer: Signer): void {
  if (pass.passTypeIdentifier !== signer.passTypeIdentifier) {
    throw new PkpassError('INVALID_PASS', 'passTypeIdentifier', 'is not the certificate’s')
  }
  if (pass.teamIdentifier !== signer.teamIdentifier) {
    throw new PkpassError('INVALID_PASS', 'teamIdentifier', 'is not the certificate’s')
  }
}

function buildManifest(passBytes: Uint8Array, images: ReadonlyMap<string, string>): Buffer {
  const entries: Record<string, string> = { 'pass.json': createHash('sha1').update(passBytes).digest('hex') }
  for (const [name, digest] of images) entries[name] = digest
  return Buffer.from(JSON.stringify(entries))
}
