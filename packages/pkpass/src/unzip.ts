import { unzipSync } from 'fflate'
import { PkpassError } from './errors.ts'
import { directoryEntryBytes, directoryEntrySignature, endOfDirectoryBytes, MAX_BUNDLE_BYTES } from './zip.ts'

/** Most files that a bundle may hold. */
export const MAX_BUNDLE_FILES = 200
/** Largest sum of unpacked files, in bytes: a bound against zip bombs. */
export const MAX_UNPACKED_BYTES = 16 * 1024 * 1024

/** Reads a bundle's files; refuses duplicates, folders, absolute paths and sizes beyond the bounds. */
export function readZip(bytes: Uint8Array): ReadonlyMap<string, Uint8Array> {
  if (bytes.length > MAX_BUNDLE_BYTES) {
    throw new PkpassError('TOO_LARGE', 'bundle', `has more than ${MAX_BUNDLE_BYTES} bytes`)
  }
  checkDirectory(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  try {
    return new Map(Object.entries(unzipSync(bytes)))
  } catch (cause) {
    throw new PkpassError('INVALID_BUNDLE', 'bundle', 'is not a readable zip', { cause })
  }
}

// fflate keeps the last of two files with one name and inflates whatever it is given: both are checked here first.
function checkDirectory(zip: Buffer): void {
  const names = new Set<string>()
  let unpacked = 0
  for (const entry of directoryEntries(zip)) {
    checkName(entry.name)
    if (names.has(entry.name)) throw new PkpassError('INVALID_BUNDLE', entry.name, 'is in the zip twice')
    names.add(entry.name)
    unpacked += entry.bytes
    if (unpacked > MAX_UNPACKED_BYTES) throw new PkpassError('TOO_LARGE', 'bundle', 'unpacks to too many bytes')
  }
}

function directoryEntries(zip: Buffer): readonly { readonly name: string; readonly bytes: number }[] {
  const end = zip.lastIndexOf(Buffer.from('PK\u0005\u0006', 'latin1'))
  if (end < 0 || end + endOfDirectoryBytes > zip.length)
    throw new PkpassError('INVALID_BUNDLE', 'bundle', 'is not a zip')
  const count = zip.readUInt16LE(end + 10)
  if (count > MAX_BUNDLE_FILES)
    throw new PkpassError('TOO_LARGE', 'bundle', `holds more than ${MAX_BUNDLE_FILES} files`)
  const entries = []
  let at = zip.readUInt32LE(end + 16)
  for (let index = 0; index < count; index++) {
    if (at + directoryEntryBytes > end || zip.readUInt32LE(at) !== directoryEntrySignature) {
      throw new PkpassError('INVALID_BUNDLE', 'bundle', 'has a broken directory')
    }
    const nameBytes = zip.readUInt16LE(at + 28)
    const nameAt = at + directoryEntryBytes
    entries.push({ name: zip.toString('utf8', nameAt, nameAt + nameBytes), bytes: zip.readUInt32LE(at + 24) })
    at = nameAt + nameBytes + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32)
  }
  return entries
}

function checkName(name: string): void {
  if (
    name === '' ||
    name.startsWith('/') ||
    name.endsWith('/') ||
    name.includes('\\') ||
    name.split('/').includes('..')
  ) {
    throw new PkpassError('INVALID_BUNDLE', name, 'is not a plain path')
  }
}
