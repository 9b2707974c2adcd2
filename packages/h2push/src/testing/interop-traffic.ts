import assert from 'node:assert/strict'
import type { Pool } from '../pool/pool.ts'
import { OutcomeCode, type RequestOutcome } from '../request/outcome.ts'
import { pushBlock, pushTemplate } from './pushes.ts'

/** Longest body of the single requests, in bytes. */
const BODY_BYTES_MAX = 1_048_576
/** Pushes that are sent before their answers are looked at. */
const BLOCK_REQUESTS = 50_000
/** How long traffic may take before it counts as stuck, in milliseconds. */
const TRAFFIC_MS_MAX = 240_000
const template = pushTemplate()

/** What a server of these tests answers to the push with a number; its `apns-id` begins as the path does. */
export const expectedAnswers: Readonly<Record<number, { readonly status: number; readonly body: string }>> = {
  7: { status: 410, body: '{"reason":"Unregistered"}' },
  8: { status: 200, body: 'ok' },
}

/** Sends pushes and looks at each answer; none may be lost. */
export async function sendPushes(pool: Pool, count: number): Promise<void> {
  for (let first = 0; first < count; first += BLOCK_REQUESTS)
    await sendBlock(pool, first, Math.min(BLOCK_REQUESTS, count - first))
}

async function sendBlock(pool: Pool, first: number, count: number): Promise<void> {
  const block = pushBlock(template, first, count)
  pool.submit(block)
  await inTime(block.done)
  for (let index = 0; index < count; index += 1) {
    const number = first + index
    const { status, body } = expectedAnswers[number % 10] ?? { status: 200, body: '' }
    assert.equal(block.outcomes[index], OutcomeCode.response, `push ${number}: ${block.cause(index)}`)
    assert.equal(block.statuses[index], status, `push ${number}`)
    assert.equal(block.capturedText(index), number.toString(16).padStart(8, '0').padEnd(36, '0'))
    if (body === '') continue
    const response = block.response(index)
    assert.equal(Buffer.from(response?.body ?? []).toString(), body)
    if (number % 10 !== 8) continue
    assert.equal(response?.headers.find(([name]) => name === 'x-large')?.[1].length, 3_000)
    assert.deepEqual(response?.trailers, [['x-trailer', String(number)]])
  }
}

/** Sends bodies of 1 byte to 1 MB, all at once, and wants them back. */
export async function sendBodies(pool: Pool, headers: readonly (readonly [string, string])[] = []): Promise<void> {
  const sizes = [
    1,
    2,
    100,
    16_383,
    16_384,
    16_385,
    65_535,
    65_536,
    300_000,
    BODY_BYTES_MAX,
    ...new Array(20).fill(3_000),
  ]
  const answers = sizes.map(async (bytes, number) => {
    const body = Buffer.alloc(bytes, `${number} `)
    const answer = responseOf(
      await pool.request({ method: 'POST', path: '/echo', body, headers, timeoutMs: TRAFFIC_MS_MAX }),
    )
    assert.equal(answer.status, 200)
    assert.ok(body.equals(answer.body), `${bytes} bytes came back as ${answer.body.length}`)
    return answer
  })
  await Promise.all(answers)
}

/** The response of a request that must have one. */
export function responseOf(outcome: RequestOutcome): RequestOutcome & { readonly kind: 'response' } {
  if (outcome.kind !== 'response') assert.fail(JSON.stringify(outcome))
  return outcome
}

/** Resolves with the promise, or rejects when it takes too long. */
async function inTime(promise: Promise<void>): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<void>()
  const timer = setTimeout(() => reject(new Error(`not within ${TRAFFIC_MS_MAX} ms`)), TRAFFIC_MS_MAX)
  await Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
