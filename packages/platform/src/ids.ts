import { randomFillSync } from 'node:crypto'

const POOL_BYTES = 4_096
const RANDOM_BYTES = 10
const COUNTER_MAX = 0xfff

const pool = Buffer.alloc(POOL_BYTES)
let poolOffset = POOL_BYTES
let lastMs = -1
let counter = 0

/**
 * A UUID version 7 (RFC 9562): time first, so that indexes grow at one end. Ids made by one process in
 * one millisecond are ascending too, up to 2,048 of them for certain.
 */
export function uuidv7(nowMs: number = Date.now()): string {
  if (poolOffset + RANDOM_BYTES > POOL_BYTES) {
    randomFillSync(pool)
    poolOffset = 0
  }
  const random = pool.subarray(poolOffset, poolOffset + RANDOM_BYTES)
  poolOffset += RANDOM_BYTES
  // Half of the counter's range is left free, so that it seldom wraps inside a millisecond.
  counter = nowMs === lastMs ? (counter + 1) & COUNTER_MAX : random.readUInt16BE(0) & (COUNTER_MAX >> 1)
  lastMs = nowMs
  const bytes = Buffer.alloc(16)
  bytes.writeUIntBE(nowMs, 0, 6)
  bytes.writeUInt16BE(0x7000 | counter, 6)
  random.copy(bytes, 8, 2)
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8)
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
