import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BinaryWriter } from '@bufbuild/protobuf/wire'
import type { ByteColumn } from '@stampede/platform'
import { PushChunk, PushResult } from '@stampede/proto/push/v1'
import fc from 'fast-check'
import { type ChunkColumns, readPushChunk } from './chunk-wire.ts'
import { OutcomeBook } from './outcome-book.ts'
import { type OutcomeColumns, writePushResult } from './result-wire.ts'

const text = fc.string({ unit: 'binary', maxLength: 40 })
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const instant = fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })
const chunks: fc.Arbitrary<PushChunk> = fc.record({
  chunkId: text,
  brand: text,
  campaignId: text,
  topic: text,
  pushTokens: fc.array(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    { maxLength: 20 },
  ),
  passNo: fc.array(int64, { maxLength: 20 }),
  deviceLibraryId: fc.array(text, { maxLength: 20 }),
  createdAt: fc.option(instant, { nil: undefined }),
  expiresAfterSeconds: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
})

/** What a reader is to see: the columns as values. */
function valuesOf({ head, pushTokens, passNo, deviceLibraryId }: ChunkColumns): PushChunk {
  // A PushResult with nothing but the column decodes it.
  const packed = new BinaryWriter().uint32(82).bytes(passNo.bytes).finish()
  return {
    ...head,
    pushTokens: entriesOf(pushTokens),
    passNo: PushResult.decode(packed).passNo,
    deviceLibraryId: entriesOf(deviceLibraryId).map((bytes) => bytes.toString('utf8')),
  }
}

function entriesOf({ message, starts, ends }: ByteColumn): Buffer[] {
  return starts.map((start, entry) => Buffer.from(message.subarray(start, ends[entry])))
}

/** Fields of the chunk one by one, so that they can be mixed with others. */
function fieldsOf(chunk: PushChunk, packed: boolean): Uint8Array[] {
  const { passNo, pushTokens, deviceLibraryId, ...head } = chunk
  const only = (part: Partial<PushChunk>) => PushChunk.encode(PushChunk.fromPartial(part)).finish()
  const numbers = passNo.map((no) =>
    packed ? only({ passNo: [no] }) : new BinaryWriter().uint32(48).int64(no).finish(),
  )
  return [
    only(head),
    ...pushTokens.map((token) => only({ pushTokens: [token] })),
    ...numbers,
    ...deviceLibraryId.map((id) => only({ deviceLibraryId: [id] })),
  ]
}

const unknownFields = fc.constantFrom(
  new BinaryWriter()
    .uint32((100 << 3) | 0)
    .uint32(300)
    .finish(),
  new BinaryWriter()
    .uint32((100 << 3) | 2)
    .bytes(Buffer.from([42, 1, 2]))
    .finish(),
  new BinaryWriter()
    .uint32((100 << 3) | 1)
    .fixed64(7n)
    .finish(),
  new BinaryWriter()
    .uint32((100 << 3) | 5)
    .fixed32(7)
    .finish(),
  new BinaryWriter()
    .uint32((100 << 3) | 3)
    .uint32(8)
    .uint32(1)
    .uint32((100 << 3) | 4)
    .finish(),
)

describe('a PushChunk read in columns', () => {
  test('is what the generated codec reads', () => {
    fc.assert(
      fc.property(chunks, (chunk) => {
        const bytes = PushChunk.encode(chunk).finish()
        assert.deepEqual(valuesOf(readPushChunk(bytes)), PushChunk.decode(bytes))
      }),
    )
  })

  test('with its fields in any order, packed or not, and with unknown ones between them', () => {
    const cases = fc.record({ chunk: chunks, packed: fc.boolean(), order: fc.infiniteStream(fc.nat()) })
    fc.assert(
      fc.property(cases, fc.array(unknownFields, { maxLength: 5 }), ({ chunk, packed, order }, unknown) => {
        const parts = [...fieldsOf(chunk, packed), ...unknown]
          .map((field) => ({ field, key: order.next().value ?? 0 }))
          .sort((a, b) => a.key - b.key)
        const bytes = Buffer.concat(parts.map(({ field }) => field))
        assert.deepEqual(valuesOf(readPushChunk(bytes)), PushChunk.decode(bytes))
      }),
    )
  })

  test('and whatever else it takes, the generated codec takes too, and reads the same', () => {
    const mutations = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(chunks, mutations, fc.nat(), (chunk, changes, cut) => {
        const bytes = Buffer.from(PushChunk.encode(chunk).finish())
        for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte
        const mutated = bytes.subarray(0, bytes.length - (cut % 3))
        let read: ChunkColumns
        try {
          read = readPushChunk(mutated)
        } catch {
          return
        }
        assert.deepEqual(valuesOf(read), PushChunk.decode(mutated))
      }),
      { numRuns: 2_000 },
    )
  })

  for (const [name, bytes] of [
    ['a token beyond its end', [42, 5, 1, 2]],
    ['a varint without an end', [50, 2, 0x80, 0x80]],
    ['a varint of eleven bytes', [50, 11, ...new Array<number>(10).fill(0x80), 0]],
    ['a group without a start', [44]],
    ['a field without a number', [0, 0, 58, 1, 65]],
    ['a field without a number inside of created_at', [66, 2, 0, 0, 58, 1, 65]],
    ['noise', [0xff, 0xff]],
  ] as const)
    test(`${name} is refused`, () => assert.throws(() => readPushChunk(Uint8Array.from(bytes))))
})

describe('a PushResult written from columns', () => {
  const column = (max: number) => fc.array(fc.nat(max), { minLength: 8, maxLength: 8 })
  const times = fc.array(fc.oneof(fc.nat(200), fc.maxSafeNat()), { minLength: 8, maxLength: 8 })
  const outcomeColumns: fc.Arbitrary<OutcomeColumns> = fc
    .record({
      pushOfRecipient: fc.array(fc.nat(7), { maxLength: 30 }),
      outcomes: column(5),
      reasonIndex: column(65_535),
      atMs: times,
      retries: column(255),
      deadSinceMs: times,
    })
    .map((columns) => ({
      pushOfRecipient: Uint32Array.from(columns.pushOfRecipient),
      outcomes: Uint8Array.from(columns.outcomes),
      reasonIndex: Uint16Array.from(columns.reasonIndex),
      atMs: Float64Array.from(columns.atMs),
      retries: Uint8Array.from(columns.retries),
      deadSinceMs: Float64Array.from(columns.deadSinceMs),
    }))

  test('is what the generated codec writes, field by field', () => {
    fc.assert(
      fc.property(chunks, outcomeColumns, fc.array(text, { maxLength: 3 }), instant, (chunk, outcomes, reasons, at) => {
        const { passNo, deviceLibraryId } = readPushChunk(PushChunk.encode(chunk).finish())
        const { chunkId, brand, campaignId } = chunk
        const head = { chunkId, brand, campaignId, lane: 'bulk', reasons, finishedAt: at }
        const written = writePushResult({ head, outcomes, passNo, deviceLibraryId })
        const by = <T>(values: ArrayLike<number>, make: (value: number) => T): T[] =>
          [...outcomes.pushOfRecipient].map((push) => make(values[push] ?? -1))
        const expected: PushResult = {
          ...head,
          outcomes: by(outcomes.outcomes, (value) => value as PushResult['outcomes'][number]),
          reasonIndex: by(outcomes.reasonIndex, Number),
          atMs: by(outcomes.atMs, BigInt),
          retries: by(outcomes.retries, Number),
          passNo: chunk.passNo,
          deviceLibraryId: chunk.deviceLibraryId,
          deadSinceMs: by(outcomes.deadSinceMs, BigInt),
        }
        const bytes = PushResult.encode(expected).finish()
        assert.deepEqual(PushResult.decode(written), PushResult.decode(bytes))
        assert.equal(written.length, bytes.length)
      }),
    )
  })

  test('holds ten thousand recipients', () => {
    const count = 10_000
    const book = new OutcomeBook({ size: count, pushOfRecipient: Uint32Array.from({ length: count }, (_, at) => at) })
    for (let push = 0; push < count; push += 1) book.accept(push, 1_700_000_000_000 + push)
    const ids = Array.from({ length: count }, (_, index) => `device-${index}`)
    const { passNo, deviceLibraryId } = readPushChunk(
      PushChunk.encode(
        PushChunk.fromPartial({ deviceLibraryId: ids, passNo: ids.map((_, index) => BigInt(index)) }),
      ).finish(),
    )
    const head = { chunkId: 'c', brand: 'b', campaignId: '', lane: 'tx', reasons: [''], finishedAt: new Date(0) }
    const result = PushResult.decode(writePushResult({ head, outcomes: book.columns(), passNo, deviceLibraryId }))
    assert.deepEqual(result.deviceLibraryId, ids)
    assert.equal(result.passNo[9_999], 9_999n)
    assert.equal(result.atMs[9_999], 1_700_000_009_999n)
  })
})
