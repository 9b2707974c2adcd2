import { PushChunk } from '@stampede/proto/push/v1'

/** Tokens that differ, 32 bytes each. */
export function testTokens(count: number, offset = 0): Buffer[] {
  return Array.from({ length: count }, (_, index) => {
    const token = Buffer.alloc(32, 0xab)
    token.writeUInt32BE(index + offset, 0)
    return token
  })
}

/** A chunk of brand `demo` to that many phones. */
export function testChunk(count: number, change: Partial<PushChunk> = {}): PushChunk {
  return PushChunk.fromPartial({
    chunkId: crypto.randomUUID(),
    brand: 'demo',
    campaignId: '',
    topic: 'pass.com.example.demo',
    pushTokens: testTokens(count),
    passNo: Array.from({ length: count }, (_, index) => BigInt(index)),
    deviceLibraryId: Array.from({ length: count }, (_, index) => `device-${index}`),
    createdAt: new Date(),
    expiresAfterSeconds: 3_600,
    ...change,
  })
}
