import { unzipSync, type Zippable, zipSync } from 'fflate'
import { PkpassError } from './errors.ts'

/** Most files that a bundle may hold. */
export const MAX_BUNDLE_FILES = 200
/** Largest bundle read or written, in bytes; a pass is fetched whole at each change, so it must stay small. */
export const MAX_BUNDLE_BYTES = 4 * 1024 * 1024
/** Largest sum of unpacked files, in bytes: a bound against zip bombs. */
export const MAX_UNPACKED_BYTES = 16 * 1024 * 1024

const endOfDirectorySignature = 0x06054b50
const endOfDirectoryBytes = 22
const directoryEntrySignature = 0x02014b50
const directoryEntryBytes = 46
/** Local time on purpose: fflate reads the date's local parts, and the zip format knows no zone. */
const mtime = new Date(1980, 0, 1)

/** Files packed once: their records and their part of the directory, ready to be joined with others. */
export interface PackedFiles {
  readonly records: Uint8Array
  readonly directory: Uint8Array
  readonly count: number
}

/** Packs files; `store` keeps bytes as they are (PNG is compressed already). */
export function packFiles(files: Readonly<Record<string, Uint8Array>>, store: boolean): PackedFiles {
  const input: Zippable = {}
  for (const [name, bytes] of Object.entries(files)) input[name] = [bytes, { level: store ? 0 : 6, mtime }]
  const zip = zipSync(input)
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength)
  const end = zip.length - endOfDirectoryBytes
  const directoryAt = view.getUint32(end + 16, true)
  return {
    records: zip.subarray(0, directoryAt),
    directory: zip.subarray(directoryAt, end),
    count: Object.keys(files).length,
  }
}

/** One zip out of parts that were packed apart: what never changes is packed once, per pass only the rest. */
export function joinZip(parts: readonly PackedFiles[]): Buffer {
  const recordsBytes = sum(parts, (part) => part.records.length)
  const directoryBytes = sum(parts, (part) => part.directory.length)
  const total = recordsBytes + directoryBytes + endOfDirectoryBytes
  if (total > MAX_BUNDLE_BYTES) throw new PkpassError('TOO_LARGE', 'bundle', `has more than ${MAX_BUNDLE_BYTES} bytes`)
  const zip = Buffer.alloc(total)
  let recordsAt = 0
  let directoryAt = recordsBytes
  for (const part of parts) {
    zip.set(part.records, recordsAt)
    zip.set(part.directory, directoryAt)
    shiftOffsets(zip.subarray(directoryAt, directoryAt + part.directory.length), recordsAt)
    recordsAt += part.records.length
    directoryAt += part.directory.length
  }
  const count = sum(parts, (part) => part.count)
  zip.writeUInt32LE(endOfDirectorySignature, directoryAt)
  zip.writeUInt16LE(count, directoryAt + 8)
  zip.writeUInt16LE(count, directoryAt + 10)
  zip.writeUInt32LE(directoryBytes, directoryAt + 12)
  zip.writeUInt32LE(recordsBytes, directoryAt + 16)
  return zip
}

function shiftOffsets(directory: Buffer, by: number): void {
  for (let at = 0; at < directory.length; ) {
    directory.writeUInt32LE(directory.readUInt32LE(at + 42) + by, at + 42)
    at +=
      directoryEntryBytes +
      directory.readUInt16LE(at + 28) +
      directory.readUInt16LE(at + 30) +
      directory.readUInt16LE(at + 32)
  }
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}

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
