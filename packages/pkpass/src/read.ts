import { createHash } from 'node:crypto'
import { PkpassError } from './errors.ts'
import type { PassJson } from './pass-json.ts'
import { readZip } from './unzip.ts'
import { validatePassJson } from './validate.ts'

/** A bundle taken apart; its manifest is checked, its signature is not (see verifyPass). */
export interface ReadPass {
  readonly pass: PassJson
  readonly files: ReadonlyMap<string, Uint8Array>
  /** The exact bytes under the signature. */
  readonly manifest: Uint8Array
  readonly signature: Uint8Array
}

/** Opens a bundle, checks pass.json, the icon and the manifest; throws PkpassError naming what is wrong. */
export function readPass(bytes: Uint8Array): ReadPass {
  const files = readZip(bytes)
  const manifest = demand(files, 'manifest.json')
  const signature = demand(files, 'signature')
  demand(files, 'icon.png')
  checkManifest(files, parseJson(manifest, 'manifest.json'))
  const pass = validatePassJson(parseJson(demand(files, 'pass.json'), 'pass.json'))
  return { pass, files, manifest, signature }
}

function demand(files: ReadonlyMap<string, Uint8Array>, name: string): Uint8Array {
  const bytes = files.get(name)
  if (bytes === undefined) throw new PkpassError('INVALID_BUNDLE', name, 'is missing')
  return bytes
}

function parseJson(bytes: Uint8Array, path: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch (cause) {
    throw new PkpassError('INVALID_BUNDLE', path, 'is not JSON in UTF-8', { cause })
  }
}

function checkManifest(files: ReadonlyMap<string, Uint8Array>, value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new PkpassError('INVALID_BUNDLE', 'manifest.json', 'is not an object')
  }
  const digests = new Map<string, unknown>(Object.entries(value))
  for (const name of digests.keys()) {
    if (!files.has(name)) throw new PkpassError('INVALID_BUNDLE', name, 'is in the manifest but not in the zip')
  }
  for (const [name, bytes] of files) {
    if (name === 'manifest.json' || name === 'signature') continue
    if (digests.get(name) !== createHash('sha1').update(bytes).digest('hex')) {
      throw new PkpassError('INVALID_BUNDLE', name, 'does not match the manifest')
    }
  }
}
