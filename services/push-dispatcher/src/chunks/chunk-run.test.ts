import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { PushChunk, PushOutcome, PushResult } from '@stampede/proto/push/v1'
import type { PushAnswer } from '../apns/connection.ts'
import { AnswerKind, type ApnsTransport, type PushAnswers, type PushBatch } from '../apns/transport.ts'
import { checkChunk } from '../domain/chunk.ts'
import { readPushChunk } from '../domain/chunk-wire.ts'
import { encodeResult } from '../events.ts'
import { testChunk } from '../testing/chunks.ts'
import { BrandPaces } from './brand-pace.ts'
import { type ChunkControl, ChunkRun, type ChunkRunOptions } from './chunk-run.ts'
import { RateGate } from './rate-gate.ts'

const brand = {
  brand: 'demo',
  passTypeId: 'pass.com.example.demo',
  pushType: 'background',
  pushPriority: 5,
  pushExpirationSeconds: 86_400,
} as const

type Reply = (token: string, attempt: number, batch: PushBatch) => PushAnswer | Promise<PushAnswer>

/** A transport whose answers a test makes up; it names a token by its first four bytes. */
class ScriptedTransport implements ApnsTransport {
  readonly sent: string[] = []
  readonly batches: PushBatch[] = []
  stoppedReason: string | undefined
  readonly #attempts = new Map<string, number>()
  readonly #answer: Reply

  constructor(reply: Reply) {
    this.#answer = reply
  }

  async send(batch: PushBatch): Promise<PushAnswers> {
    this.batches.push(batch)
    const { tokens, tokenBytes } = batch
    const size = tokens.length / tokenBytes
    const answers = {
      kinds: new Uint8Array(size),
      statuses: new Uint16Array(size),
      atMs: new Float64Array(size),
      details: new Map<number, Extract<PushAnswer, { kind: 'answered' }>>(),
      stopReason: '',
    }
    const all = Array.from({ length: size }, async (_, index) => {
      const answer = await this.#reply(tokens.subarray(index * tokenBytes, (index + 1) * tokenBytes), batch)
      answers.kinds[index] = AnswerKind[answer.kind]
      if (answer.kind === 'stopped') answers.stopReason = answer.reason
      if (answer.kind !== 'answered') return
      answers.statuses[index] = answer.status
      answers.atMs[index] = answer.atMs
      if (answer.status !== 200) answers.details.set(index, answer)
    })
    await Promise.all(all)
    return answers
  }

  stop(_brand: string, reason: string): void {
    this.stoppedReason = reason
  }

  stopped(): string | undefined {
    return this.stoppedReason
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #reply(token: Uint8Array, batch: PushBatch): PushAnswer | Promise<PushAnswer> {
    const hex = Buffer.from(token).toString('hex', 0, 4)
    this.sent.push(hex)
    const attempt = (this.#attempts.get(hex) ?? 0) + 1
    this.#attempts.set(hex, attempt)
    return this.#answer(hex, attempt, batch)
  }
}

function answered(status: number, reason = '', more: { timestampMs?: number; retryAfterMs?: number } = {}): PushAnswer {
  return { kind: 'answered', atMs: Date.now(), status, reason, timestampMs: 0, retryAfterMs: 0, ...more }
}

function sendable(chunk: PushChunk) {
  const checked = checkChunk(readPushChunk(PushChunk.encode(chunk).finish()), brand)
  assert.ok(checked.ok)
  return checked.chunk
}

function makeRun(transport: ApnsTransport, count: number, change: Partial<ChunkRunOptions> & { life?: number } = {}) {
  const { life = 3_600, ...options } = change
  const createdAt = life < 0 ? new Date(Date.now() - 10_000) : new Date()
  const chunk = sendable(testChunk(count, { createdAt, expiresAfterSeconds: Math.abs(life) }))
  return makeRunOf(chunk, transport, options)
}

function makeRunOf(
  chunk: ReturnType<typeof sendable>,
  transport: ApnsTransport,
  options: Partial<ChunkRunOptions> = {},
) {
  const repeated: number[] = []
  const run = new ChunkRun(chunk, {
    lane: 'bulk',
    transport,
    gate: new RateGate({ globalPerSecond: 0, bulkPerSecond: () => 0 }),
    paces: new BrandPaces(),
    control: () => 'running',
    park: (wait) => wait(),
    shutdown: new AbortController().signal,
    unknownAnswer: () => {},
    repeated: (pushes) => repeated.push(pushes),
    latency: () => {},
    ...options,
  })
  return { run, repeated, chunk }
}

/** What a reader of the result sees. */
async function outcomesOf({ run, chunk }: Pick<ReturnType<typeof makeRun>, 'run' | 'chunk'>): Promise<PushResult> {
  const end = await run.run()
  assert.equal(end.kind, 'done')
  assert.ok(end.kind === 'done')
  return PushResult.decode(encodeResult(chunk, 'bulk', end.book))
}

describe('a chunk on its way', () => {
  test('each push gets the outcome of its answer, and the sum is what was enqueued', async () => {
    const transport = new ScriptedTransport((token) => {
      const kind = Number.parseInt(token, 16) % 4
      if (kind === 0) return answered(410, 'Unregistered', { timestampMs: 1_234 })
      if (kind === 1) return answered(400, 'DeviceTokenNotForTopic')
      return answered(200)
    })
    const columns = await outcomesOf(makeRun(transport, 1_000))
    const count = (outcome: PushOutcome) => columns.outcomes.filter((one) => one === outcome).length
    assert.equal(count(PushOutcome.PUSH_OUTCOME_DEAD_TOKEN), 250)
    assert.equal(count(PushOutcome.PUSH_OUTCOME_REJECTED), 250)
    assert.equal(count(PushOutcome.PUSH_OUTCOME_ACCEPTED), 500)
    assert.equal(columns.outcomes.length, 1_000)
    assert.deepEqual([...new Set(columns.deadSinceMs)].sort(), [0n, 1_234n])
    assert.equal(transport.sent.length, 1_000)
  })

  test('an unknown outcome is repeated at once and counted, never called failed', async () => {
    const transport = new ScriptedTransport((_token, attempt) => (attempt === 1 ? { kind: 'unknown' } : answered(200)))
    const made = makeRun(transport, 5)
    const columns = await outcomesOf(made)
    assert.deepEqual(columns.outcomes, new Array(5).fill(PushOutcome.PUSH_OUTCOME_ACCEPTED))
    assert.deepEqual(columns.retries, [1, 1, 1, 1, 1])
    assert.equal(
      made.repeated.reduce((sum, one) => sum + one, 0),
      5,
    )
  })

  test('what was not processed goes again without counting as a repetition', async () => {
    const transport = new ScriptedTransport((_token, attempt) =>
      attempt < 20 ? { kind: 'unprocessed' } : answered(200),
    )
    const columns = await outcomesOf(makeRun(transport, 2))
    assert.deepEqual(columns.outcomes, new Array(2).fill(PushOutcome.PUSH_OUTCOME_ACCEPTED))
    assert.deepEqual(columns.retries, [0, 0])
  })

  test('Retry-After is respected', async () => {
    const times: number[] = []
    const transport = new ScriptedTransport((_token, attempt) => {
      times.push(Date.now())
      return attempt === 1 ? answered(429, 'TooManyRequests', { retryAfterMs: 1_200 }) : answered(200)
    })
    await outcomesOf(makeRun(transport, 1))
    const [first = 0, second = 0] = times
    assert.ok(second - first >= 1_190, `${second - first} ms`)
  })

  test('a push whose life ends between repetitions is expired, with the last reason', async () => {
    const transport = new ScriptedTransport(() => answered(503, 'ServiceUnavailable'))
    const columns = await outcomesOf(makeRun(transport, 3, { life: 1 }))
    assert.deepEqual(columns.outcomes, new Array(3).fill(PushOutcome.PUSH_OUTCOME_EXPIRED))
    assert.deepEqual(columns.reasons[columns.reasonIndex[0] ?? 0], 'ServiceUnavailable')
  })

  test('a chunk that comes too late is expired without being sent', async () => {
    const transport = new ScriptedTransport(() => answered(200))
    const columns = await outcomesOf(makeRun(transport, 3, { life: -1 }))
    assert.deepEqual(columns.outcomes, new Array(3).fill(PushOutcome.PUSH_OUTCOME_EXPIRED))
    assert.equal(transport.sent.length, 0)
  })

  test('a refused certificate stops the brand and gives the chunk back', async () => {
    const transport = new ScriptedTransport(() => answered(403, 'BadCertificate'))
    const end = await makeRun(transport, 10).run.run()
    assert.deepEqual(end, { kind: 'stopped', reason: 'BadCertificate' })
    assert.equal(transport.stoppedReason, 'BadCertificate')
  })

  test('an aborted campaign sends nothing more and counts the rest as aborted', async () => {
    let control: ChunkControl = 'running'
    const transport = new ScriptedTransport(async (_token, _attempt, { signal }) => {
      if (transport.sent.length > 100) return signal.aborted ? { kind: 'unsent' } : answered(200)
      return answered(200)
    })
    const made = makeRun(transport, 5_000, { control: () => control })
    const ending = outcomesOf(made)
    control = 'aborted'
    made.run.notify()
    const columns = await ending
    const aborted = columns.outcomes.filter((one) => one === PushOutcome.PUSH_OUTCOME_ABORTED).length
    const accepted = columns.outcomes.filter((one) => one === PushOutcome.PUSH_OUTCOME_ACCEPTED).length
    assert.equal(aborted + accepted, 5_000)
    assert.ok(aborted >= 4_000, `${aborted}`)
  })

  test('a paused campaign waits outside the lane and goes on where it was', async () => {
    let control: ChunkControl = 'paused'
    const transport = new ScriptedTransport(() => answered(200))
    const parked = Promise.withResolvers<void>()
    const made = makeRun(transport, 10, {
      control: () => control,
      park: async (wait) => {
        parked.resolve()
        await wait()
      },
    })
    const ending = outcomesOf(made)
    await parked.promise
    assert.equal(transport.sent.length, 0)
    control = 'running'
    made.run.notify()
    const columns = await ending
    assert.deepEqual(columns.outcomes, new Array(10).fill(PushOutcome.PUSH_OUTCOME_ACCEPTED))
  })

  test('a malformed token is rejected without being sent', async () => {
    const transport = new ScriptedTransport(() => answered(200))
    const chunk = sendable(testChunk(3, { pushTokens: [Buffer.alloc(0), Buffer.alloc(32), Buffer.alloc(101)] }))
    const columns = await outcomesOf(makeRunOf(chunk, transport, { lane: 'tx' }))
    const { PUSH_OUTCOME_REJECTED: rejected, PUSH_OUTCOME_ACCEPTED: accepted } = PushOutcome
    assert.deepEqual(columns.outcomes, [rejected, accepted, rejected])
    assert.deepEqual(columns.reasons[columns.reasonIndex[0] ?? 0], 'MalformedToken')
    assert.equal(transport.sent.length, 1)
  })

  test('tokens of several lengths go in batches of one length, and each recipient gets its own outcome', async () => {
    const lengths = Array.from({ length: 270 }, (_, index) => 4 + (index % 3))
    const pushTokens = lengths.map((length, index) => {
      const token = Buffer.alloc(length, 0xab)
      token.writeUInt32BE(index, 0)
      return token
    })
    // A third is refused for good, and a third goes twice.
    const transport = new ScriptedTransport((token, attempt) => {
      const index = Number.parseInt(token, 16)
      if (index % 9 < 3) return answered(410, 'Unregistered')
      return index % 9 < 6 && attempt === 1 ? { kind: 'unprocessed' } : answered(200)
    })
    const columns = await outcomesOf(makeRunOf(sendable(testChunk(270, { pushTokens })), transport))
    for (const [index, outcome] of columns.outcomes.entries())
      assert.equal(outcome, index % 9 < 3 ? PushOutcome.PUSH_OUTCOME_DEAD_TOKEN : PushOutcome.PUSH_OUTCOME_ACCEPTED)
    assert.deepEqual(new Set(transport.batches.map(({ tokenBytes }) => tokenBytes)), new Set([4, 5, 6]))
    assert.equal(transport.sent.length, 270 + 90)
  })

  test('tells the latency of a sample', async () => {
    const latencies: number[] = []
    const transport = new ScriptedTransport(() => answered(200))
    await outcomesOf(makeRun(transport, 1_000, { latency: (durationMs) => latencies.push(durationMs) }))
    assert.equal(latencies.length, Math.ceil(1_000 / 64))
  })
})

describe('the rate gate', () => {
  test("keeps a brand's ceiling for bulk and lets tx pass it", async () => {
    const gate = new RateGate({ globalPerSecond: 0, bulkPerSecond: () => 1_000 })
    const signal = new AbortController().signal
    const startMs = performance.now()
    let granted = 0
    while (granted < 400) granted += await gate.grant('bulk', 'demo', 400 - granted, signal)
    const tookMs = performance.now() - startMs
    assert.ok(tookMs >= 290, `${tookMs} ms for 400 pushes, a burst of 100 included`)
    assert.equal(await gate.grant('tx', 'demo', 1_000, signal), 1_000)
  })

  test('grants nothing once aborted', async () => {
    const gate = new RateGate({ globalPerSecond: 1, bulkPerSecond: () => 0 })
    const stop = new AbortController()
    while ((await Promise.race([gate.grant('tx', 'demo', 10, stop.signal), Promise.resolve(-1)])) > 0);
    stop.abort()
    assert.equal(await gate.grant('tx', 'demo', 10, stop.signal), 0)
  })
})
