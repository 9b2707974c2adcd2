import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import type { ByteColumn, VarintColumn } from '@stampede/platform'
import { PushChunk } from '@stampede/proto/push/v1'

/** Tags of the columns of PushChunk (field number and wire type). */
const PUSH_TOKEN = 42
const PASS_NO = 48
const PASS_NO_PACKED = 50
const DEVICE_LIBRARY_ID = 58
/** The only message inside of a PushChunk. */
const CREATED_AT = 66
/** Longest varint, in bytes. */
const VARINT_BYTES_MAX = 10

/** A PushChunk whose columns are left where they are in the message. */
export interface ChunkColumns {
  /** All fields but the columns, which are empty in it. */
  readonly head: PushChunk
  readonly pushTokens: ByteColumn
  readonly passNo: VarintColumn
  readonly deviceLibraryId: ByteColumn
}

/**
 * Reads a PushChunk without an object, bigint or text per recipient. Everything but the columns is read by the
 * generated codec. Throws when the message is malformed.
 */
export function readPushChunk(message: Uint8Array): ChunkColumns {
  const reader = new BinaryReader(message)
  const pushTokens = { message, starts: [], ends: [] }
  const deviceLibraryId = { message, starts: [], ends: [] }
  const passNo: Uint8Array[] = []
  const rest: Uint8Array[] = []
  while (reader.pos < reader.len) {
    const startsAt = reader.pos
    const tag = reader.uint32()
    if (tag === PUSH_TOKEN) readEntry(reader, pushTokens)
    else if (tag === DEVICE_LIBRARY_ID) readEntry(reader, deviceLibraryId)
    else if (tag === PASS_NO_PACKED) passNo.push(reader.bytes())
    else if (tag === PASS_NO) passNo.push(reader.skip(WireType.Varint))
    else {
      const contentAt = reader.pos
      skipField(reader, tag)
      if (tag === CREATED_AT) checkFields(new BinaryReader(message.subarray(contentAt, reader.pos)).bytes())
      rest.push(message.subarray(startsAt, reader.pos))
    }
  }
  return {
    head: PushChunk.decode(joined(rest)),
    pushTokens,
    passNo: { bytes: joined(passNo), count: passNo.reduce((sum, part) => sum + countVarints(part), 0) },
    deviceLibraryId,
  }
}

function checkFields(message: Uint8Array): void {
  const reader = new BinaryReader(message)
  while (reader.pos < reader.len) skipField(reader, reader.uint32())
}

function skipField(reader: BinaryReader, tag: number): void {
  // The generated codec would take it for the end and silently drop the rest.
  if (tag >>> 3 === 0) throw new RangeError('a field without a number')
  reader.skip(tag & 7, tag >>> 3)
}

function readEntry(reader: BinaryReader, column: { readonly starts: number[]; readonly ends: number[] }): void {
  const length = reader.uint32()
  column.starts.push(reader.pos)
  reader.pos += length
  column.ends.push(reader.pos)
  if (reader.pos > reader.len) throw new RangeError('an entry reaches beyond the message')
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts
  return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts)
}

/** Each varint ends with a byte below 128. */
function countVarints(bytes: Uint8Array): number {
  let count = 0
  let length = 0
  for (let at = 0; at < bytes.length; at += 1) {
    length += 1
    if (length > VARINT_BYTES_MAX) throw new RangeError('a varint is too long')
    if ((bytes[at] as number) >= 0x80) continue
    count += 1
    length = 0
  }
  if (length > 0) throw new RangeError('a varint is cut off')
  return count
}
