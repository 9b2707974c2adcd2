import { crc32, deflateRawSync } from 'node:zlib'

/** Largest bundle read or written, in bytes; a pass is fetched whole at each change, so it must stay small. */
export const MAX_BUNDLE_BYTES = 4 * 1024 * 1024

const endOfDirectorySignature = 0x06054b50
/** Size of the record that closes a zip. */
export const endOfDirectoryBytes = 22
export const directoryEntrySignature = 0x02014b50
/** Size of an entry of the directory, without name, extra field and comment. */
export const directoryEntryBytes = 46
const localHeaderSignature = 0x04034b50
const localHeaderBytes = 30
/** Version of the format that knows deflate. */
const neededVersion = 20
const methods = { store: 0, deflate: 8 } as const
/** 1980-01-01, the format's first day: two bundles of the same content are the same bytes. */
const firstDay = (1 << 5) | 1
/** A window of 4 KiB holds most of a pass.json; the default of 32 KiB costs more to set up than the text to pack. */
const deflateOptions = { level: 6, windowBits: 12, memLevel: 5 } as const

/** How a file lies in a zip: as it is, or deflated. */
export type ZipMethod = keyof typeof methods

/** One file of a zip, packed and measured: ready to be written. */
export interface ZipFile {
  /** Plain ASCII. */
  readonly name: string
  /** As it lies in the zip. */
  readonly content: Uint8Array
  readonly method: ZipMethod
  readonly unpackedBytes: number
  readonly crc: number
}

/** Files packed once, the beginning of every zip that holds them. */
export interface PackedFiles {
  readonly records: Uint8Array
  /** Their part of the directory at the end. */
  readonly directory: Uint8Array
  readonly count: number
}

/** Packs one file; PNG and other bytes that hardly shrink are best stored. */
export function zipFile(name: string, bytes: Uint8Array, method: ZipMethod): ZipFile {
  return {
    name,
    content: method === 'store' ? bytes : deflateRawSync(bytes, deflateOptions),
    method,
    unpackedBytes: bytes.length,
    crc: crc32(bytes),
  }
}

/** Joins files to what `zipChunks` can complete any number of times. */
export function packFiles(files: readonly ZipFile[]): PackedFiles {
  const records = Buffer.alloc(sum(files, recordBytes))
  const directory = Buffer.alloc(sum(files, entryBytes))
  let recordAt = 0
  let entryAt = 0
  for (const file of files) {
    writeHeader(records, recordAt, file)
    records.set(file.content, recordAt + headerBytes(file))
    writeEntry(directory, entryAt, file, recordAt)
    recordAt += recordBytes(file)
    entryAt += entryBytes(file)
  }
  return { records, directory, count: files.length }
}

/**
 * A zip of `packed` and `files`, in pieces to be sent one after the other. No content is copied: the first piece is
 * `packed.records` itself, shared by all zips that begin with it, so the pieces must not be changed.
 */
export function zipChunks(packed: PackedFiles, files: readonly ZipFile[]): readonly Uint8Array[] {
  const chunks: Uint8Array[] = [packed.records]
  const headersBytes = sum(files, headerBytes)
  const directoryBytes = packed.directory.length + sum(files, entryBytes)
  // Headers and directory lie in one buffer: several small ones would cost more than what they hold.
  const own = Buffer.allocUnsafe(headersBytes + directoryBytes + endOfDirectoryBytes)
  own.set(packed.directory, headersBytes)
  let headerAt = 0
  let entryAt = headersBytes + packed.directory.length
  let recordAt = packed.records.length
  for (const file of files) {
    writeHeader(own, headerAt, file)
    writeEntry(own, entryAt, file, recordAt)
    chunks.push(own.subarray(headerAt, headerAt + headerBytes(file)), file.content)
    headerAt += headerBytes(file)
    entryAt += entryBytes(file)
    recordAt += recordBytes(file)
  }
  writeEnd(own, entryAt, { count: packed.count + files.length, directoryBytes, directoryAt: recordAt })
  chunks.push(own.subarray(headersBytes))
  return chunks
}

function headerBytes(file: ZipFile): number {
  return localHeaderBytes + file.name.length
}

function recordBytes(file: ZipFile): number {
  return headerBytes(file) + file.content.length
}

function entryBytes(file: ZipFile): number {
  return directoryEntryBytes + file.name.length
}

function writeHeader(zip: Buffer, at: number, file: ZipFile): void {
  zip.writeUInt32LE(localHeaderSignature, at)
  writeCommonFields(zip, at + 4, file)
  zip.write(file.name, at + localHeaderBytes, 'latin1')
}

function writeEntry(zip: Buffer, at: number, file: ZipFile, recordAt: number): void {
  zip.writeUInt32LE(directoryEntrySignature, at)
  zip.writeUInt16LE(neededVersion, at + 4)
  writeCommonFields(zip, at + 6, file)
  // Comment, disk and attributes.
  zip.fill(0, at + 32, at + 42)
  zip.writeUInt32LE(recordAt, at + 42)
  zip.write(file.name, at + directoryEntryBytes, 'latin1')
}

/** The 26 bytes that a file's own header and its entry in the directory share: from the version to the extra field. */
function writeCommonFields(zip: Buffer, at: number, file: ZipFile): void {
  zip.writeUInt16LE(neededVersion, at)
  zip.writeUInt16LE(0, at + 2)
  zip.writeUInt16LE(methods[file.method], at + 4)
  zip.writeUInt16LE(0, at + 6)
  zip.writeUInt16LE(firstDay, at + 8)
  zip.writeUInt32LE(file.crc, at + 10)
  zip.writeUInt32LE(file.content.length, at + 14)
  zip.writeUInt32LE(file.unpackedBytes, at + 18)
  zip.writeUInt16LE(file.name.length, at + 22)
  zip.writeUInt16LE(0, at + 24)
}

function writeEnd(
  zip: Buffer,
  at: number,
  of: { readonly count: number; readonly directoryBytes: number; readonly directoryAt: number },
): void {
  zip.writeUInt32LE(endOfDirectorySignature, at)
  zip.writeUInt32LE(0, at + 4)
  zip.writeUInt16LE(of.count, at + 8)
  zip.writeUInt16LE(of.count, at + 10)
  zip.writeUInt32LE(of.directoryBytes, at + 12)
  zip.writeUInt32LE(of.directoryAt, at + 16)
  zip.writeUInt16LE(0, at + 20)
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}
