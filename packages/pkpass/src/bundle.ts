import { PkpassError } from './errors.ts'
import { MAX_BUNDLE_BYTES, packFiles, zipChunks, zipFile } from './zip.ts'

/** MIME type of several passes in one file; only Safari opens it. */
export const PKPASSES_CONTENT_TYPE = 'application/vnd.apple.pkpasses'
/** Most passes that Wallet adds at once. */
export const MAX_BUNDLED_PASSES = 10

/** A .pkpasses file of finished .pkpass files; throws PkpassError INVALID_BUNDLE or TOO_LARGE. */
export function bundlePasses(passes: readonly Uint8Array[]): Buffer {
  if (passes.length === 0) throw new PkpassError('INVALID_BUNDLE', 'passes', 'holds no pass')
  if (passes.length > MAX_BUNDLED_PASSES) {
    throw new PkpassError('TOO_LARGE', 'passes', `holds more than ${MAX_BUNDLED_PASSES} passes`)
  }
  for (const [index, pass] of passes.entries()) {
    if (pass.length > MAX_BUNDLE_BYTES) {
      throw new PkpassError('TOO_LARGE', `passes[${index}]`, `has more than ${MAX_BUNDLE_BYTES} bytes`)
    }
  }
  const files = passes.map((pass, index) => zipFile(`pass-${index + 1}.pkpass`, pass, 'store'))
  return Buffer.concat(zipChunks(packFiles([]), files))
}
