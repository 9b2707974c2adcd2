import { invalidArgument } from '@stampede/platform'

const VERSION = 1
const TOKEN_BYTES = 9

/** Opaque token of the page that begins behind a position in the order of enrolment. */
export function writePageToken(seq: bigint): string {
  const bytes = Buffer.alloc(TOKEN_BYTES)
  bytes.writeUInt8(VERSION, 0)
  bytes.writeBigInt64BE(seq, 1)
  return bytes.toString('base64url')
}

/** Position behind which the page begins. Throws INVALID_ARGUMENT for what writePageToken did not make. */
export function readPageToken(token: string): bigint {
  const bytes = Buffer.from(token, 'base64url')
  if (bytes.length !== TOKEN_BYTES || bytes.readUInt8(0) !== VERSION || bytes.toString('base64url') !== token)
    throw invalidArgument('page_token', 'must come from the previous answer')
  return bytes.readBigInt64BE(1)
}
