import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { connectNats, ensureStreams, type Nats } from '@stampede/platform'
import { type TestNats, testNats, testParts, until } from '@stampede/platform/testing'
import { busiestSecond, overruns, readGoogleLog } from '@stampede/sandbox'
import { GoogleSide, issuer } from '../testing/google-side.ts'
import { IssuerQuota } from './issuer-quota.ts'
import type { Lane } from './turn-queue.ts'

const { logger } = testParts()
const tooFast = { status: 429, reason: 'rateLimitExceeded', message: '', retryAfterMs: 0 }
const soon = (): AbortSignal => AbortSignal.timeout(10_000)

describe('the quota of an issuer', () => {
  let server: TestNats
  let nats: Nats
  let next = 0

  before(async () => {
    server = await testNats()
    nats = await connectNats({ url: server.url, name: 'test', logger })
    await ensureStreams(nats)
  })
  after(async () => {
    await nats[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })

  /** Quotas of one issuer at so many replicas. */
  function quotas(count: number, perSecond: number): readonly IssuerQuota[] {
    next += 1
    const options = { nats, logger, issuer: String(next), perSecond, waited: () => {} }
    return Array.from({ length: count }, () => new IssuerQuota(options))
  }

  test('is one for all replicas, and each gets its part', async () => {
    const instants: number[][] = [[], []]
    await Promise.all(
      quotas(2, 100).flatMap((quota, replica) =>
        Array.from({ length: 80 }, async () => {
          assert.ok(await quota.turn('bulk', soon()))
          instants[replica]?.push(performance.now())
        }),
      ),
    )
    const all = instants.flat().sort((a, b) => a - b)
    const tookMs = (all.at(-1) ?? 0) - (all[0] ?? 0)
    assert.ok(tookMs > 1_950, `160 turns at 80 per second took ${tookMs} ms`)
    const ofFirst = instants[0]?.filter((at) => at < (all[0] ?? 0) + tookMs / 2).length ?? 0
    assert.ok(ofFirst > 20 && ofFirst < 60, `one replica had ${ofFirst} of the first 80 turns`)
  })

  test('goes to urgent calls first, to others in their order', async () => {
    const [quota] = quotas(1, 100)
    const order: string[] = []
    const take = async (lane: Lane, name: string): Promise<void> => {
      await quota?.turn(lane, soon())
      order.push(name)
    }
    await Promise.all([take('bulk', 'b1'), take('bulk', 'b2'), take('urgent', 'u1'), take('urgent', 'u2')])
    assert.deepEqual(order, ['u1', 'u2', 'b1', 'b2'])
  })

  test('a turn that is given up is not lost for the next one', async () => {
    const [quota] = quotas(1, 2)
    const stopping = new AbortController()
    assert.ok(await quota?.turn('bulk', soon()))
    const given = quota?.turn('bulk', stopping.signal)
    const kept = quota?.turn('bulk', soon())
    stopping.abort()
    assert.equal(await given, false)
    assert.equal(await kept, true)
    assert.equal(await quota?.turn('bulk', stopping.signal), false)
  })

  test('a pause that Google asks one replica for is kept by all, and by one that starts later', async () => {
    const [one, two] = quotas(2, 1_000)
    assert.ok(await two?.turn('bulk', soon()))
    const startMs = performance.now()
    await one?.answered({ ...tooFast, retryAfterMs: 700 })
    assert.equal(await two?.turn('bulk', soon()), true)
    assert.ok(performance.now() - startMs > 690, 'the other replica did not wait')
    await two?.answered({ ...tooFast, retryAfterMs: 60_000 })
    next -= 1
    const [late] = quotas(1, 1_000)
    assert.equal(await late?.turn('bulk', AbortSignal.timeout(300)), false)
  })

  test('nobody gets a turn while the broker is away, and the next one as soon as it is back', async () => {
    const [quota] = quotas(1, 100)
    assert.ok(await quota?.turn('bulk', soon()))
    await server.stop(true)
    const turns = Array.from({ length: 20 }, () => quota?.turn('bulk', AbortSignal.timeout(30_000)))
    assert.equal(await quota?.turn('bulk', AbortSignal.timeout(700)), false)
    await server.start()
    assert.ok((await Promise.all(turns)).every((granted) => granted === true))
  })
})

test('two replicas keep the quota of one issuer together: no second of the log has more calls', async () => {
  await using side = await GoogleSide.start()
  await side.renew({ googleRps: 100 })
  const ids = side.seed('card', 200)
  await side.startReplica(100)
  await side.startReplica(100)
  for (const [index, id] of ids.entries())
    await side.want(id, 1n, { classId: `${issuer}.demo-v1`, state: 'ACTIVE', accountId: String(index) })
  await side.send('sale', { objectIds: [...ids.slice(0, 50)] })
  await until('all are written', () => side.results.length === 200, 60_000)
  await side.reported('sale', 50, 60_000)
  const rows = await readGoogleLog(side.sandbox.dir)
  const calls = rows.filter((row) => row.issuer === issuer)
  assert.equal(overruns(rows, issuer), 0)
  assert.ok(busiestSecond(rows, issuer) <= 100, `${busiestSecond(rows, issuer)} calls within a second`)
  assert.ok(calls.length >= 450, 'insertions, patches and messages')
  const seconds = ((calls.at(-1)?.at ?? 0) - (calls[0]?.at ?? 0)) / 1_000
  assert.ok(calls.length / seconds > 50, `only ${calls.length / seconds} calls per second`)
})
