import { crc32, deflateRawSync } from 'node:zlib'
import { unzipSync } from 'fflate'
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
const localHeaderSignature = 0x04034b50
const localHeaderBytes = 30
/** Version of the format that knows deflate. */
const neededVersion = 20
const methods = { store: 0, deflate: 8 } as const
/** 1980-01-01, the format's first day: two bundles of the same content are the same bytes. */
const firstDay = (1 << 5) | 1
/** A window of 4 KiB holds most of a pass.json; the default of 32 KiB costs more to set up than the text to pack. */
const deflateOptions = { level: 6, windowBits: 12, memLevel: 5 } as const

/** Files packed once: their records and their part of the directory, ready to be joined with others. */
export interface PackedFiles {
  readonly records: Uint8Array
  readonly directory: Uint8Array
  readonly count: number
}

/** Packs files under plain ASCII names; `store` keeps bytes as they are (PNG is compressed already). */
export function packFiles(files: Readonly<Record<string, Uint8Array>>, store: boolean): PackedFiles {
  const records: Uint8Array[] = []
  const directory: Uint8Array[] = []
  let at = 0
  for (const [name, bytes] of Object.entries(files)) {
    const content = store ? bytes : deflateRawSync(bytes, deflateOptions)
    const fields = commonFields(name, bytes, content, store ? methods.store : methods.deflate)
    const record = [localHeader(fields), Buffer.from(name), content]
    directory.push(directoryEntry(fields, at), Buffer.from(name))
    records.push(...record)
    at += sum(record, (part) => part.length)
  }
  return { records: Buffer.concat(records), directory: Buffer.concat(directory), count: Object.keys(files).length }
}

/** The 26 bytes that a file's own header and its entry in the directory share: from the version to the extra field. */
function commonFields(name: string, bytes: Uint8Array, content: Uint8Array, method: number): Buffer {
  const fields = Buffer.alloc(26)
  fields.writeUInt16LE(neededVersion, 0)
  fields.writeUInt16LE(method, 4)
  fields.writeUInt16LE(firstDay, 8)
  fields.writeUInt32LE(crc32(bytes), 10)
  fields.writeUInt32LE(content.length, 14)
  fields.writeUInt32LE(bytes.length, 18)
  fields.writeUInt16LE(name.length, 22)
  return fields
}

function localHeader(fields: Buffer): Buffer {
  const header = Buffer.alloc(localHeaderBytes)
  header.writeUInt32LE(localHeaderSignature, 0)
  header.set(fields, 4)
  return header
}

function directoryEntry(fields: Buffer, recordAt: number): Buffer {
  const entry = Buffer.alloc(directoryEntryBytes)
  entry.writeUInt32LE(directoryEntrySignature, 0)
  entry.writeUInt16LE(neededVersion, 4)
  entry.set(fields, 6)
  entry.writeUInt32LE(recordAt, 42)
  return entry
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
