import { crc32, inflateRawSync } from 'node:zlib'

/** Files of a zip by name, or why it is refused. */
export type UnzipResult =
  | { readonly ok: true; readonly files: ReadonlyMap<string, Buffer> }
  | { readonly ok: false; readonly reason: string }

/** Most files in one bundle. */
export const FILES_MAX = 500
/** Most bytes of one bundle after inflation. */
export const INFLATED_BYTES_MAX = 20 * 1024 * 1024

const END_SIGNATURE = 0x06054b50
const CENTRAL_SIGNATURE = 0x02014b50
const LOCAL_SIGNATURE = 0x04034b50
const END_BYTES = 22

class ZipError extends Error {}

function checkName(name: string, files: ReadonlyMap<string, Buffer>): void {
  if (files.has(name)) throw new ZipError(`${name} is there twice`)
  if (name === '' || name.startsWith('/') || name.includes('\\') || name.split('/').includes('..')) {
    throw new ZipError(`bad file name ${JSON.stringify(name)}`)
  }
  if (name.endsWith('/')) throw new ZipError(`${name} is a folder entry`)
}

function readEntry(bytes: Buffer, central: number, budget: number): Buffer {
  const flags = bytes.readUInt16LE(central + 8)
  const method = bytes.readUInt16LE(central + 10)
  const packedSize = bytes.readUInt32LE(central + 20)
  const size = bytes.readUInt32LE(central + 24)
  const local = bytes.readUInt32LE(central + 42)
  if (flags & 1) throw new ZipError('encrypted entry')
  if (packedSize === 0xffffffff || size === 0xffffffff || local === 0xffffffff) throw new ZipError('zip64 is not read')
  if (size > budget) throw new ZipError('inflates to too much')
  if (bytes.readUInt32LE(local) !== LOCAL_SIGNATURE) throw new ZipError('local header is missing')
  const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28)
  const packed = bytes.subarray(start, start + packedSize)
  if (packed.length !== packedSize) throw new ZipError('truncated entry')
  if (method !== 0 && method !== 8) throw new ZipError(`compression method ${method}`)
  const content = method === 0 ? packed : inflateRawSync(packed, { maxOutputLength: Math.max(1, size) })
  if (content.length !== size || crc32(content) !== bytes.readUInt32LE(central + 16))
    throw new ZipError('checksum differs')
  return content
}

function readAll(bytes: Buffer): ReadonlyMap<string, Buffer> {
  const end = bytes.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]))
  if (end < 0 || end + END_BYTES > bytes.length || bytes.readUInt32LE(end) !== END_SIGNATURE)
    throw new ZipError('not a zip')
  const count = bytes.readUInt16LE(end + 10)
  if (count > FILES_MAX) throw new ZipError('too many files')
  const files = new Map<string, Buffer>()
  let central = bytes.readUInt32LE(end + 16)
  let budget = INFLATED_BYTES_MAX
  for (let index = 0; index < count; index += 1) {
    if (bytes.readUInt32LE(central) !== CENTRAL_SIGNATURE) throw new ZipError('central header is missing')
    const nameBytes = bytes.readUInt16LE(central + 28)
    const name = bytes.toString('utf8', central + 46, central + 46 + nameBytes)
    checkName(name, files)
    const content = readEntry(bytes, central, budget)
    budget -= content.length
    files.set(name, content)
    central += 46 + nameBytes + bytes.readUInt16LE(central + 30) + bytes.readUInt16LE(central + 32)
  }
  return files
}

/** Reads a whole zip as strictly as a phone has to. */
export function unzip(bytes: Buffer): UnzipResult {
  try {
    return { ok: true, files: readAll(bytes) }
  } catch (error) {
    return { ok: false, reason: `zip: ${error instanceof Error ? error.message : String(error)}` }
  }
}
