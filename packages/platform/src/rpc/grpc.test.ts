import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, it } from 'node:test'
import { credentials, Client as GrpcClient, Metadata, type ServiceError } from '@grpc/grpc-js'
import { GeoServiceService } from '@stampede/proto/geo/v1'
import { invalidArgument, StampedeError, unavailable } from '../errors.ts'
import { testTls } from '../testing/tls.ts'
import { createClient, type ServiceClient } from './client.ts'
import { keys, startFixture } from './fixture.ts'
import { healthService } from './health.ts'

const put = { idempotencyKey: 'k', brand: 'one', stores: [{ storeId: 's1', name: 'Store', beacons: [{ major: 7 }] }] }

type GeoClient = ServiceClient<typeof GeoServiceService>

function raises(code: string, field = '') {
  return (error: unknown): true => {
    assert.ok(error instanceof StampedeError, String(error))
    assert.deepEqual({ code: error.code, field: error.field }, { code, field })
    return true
  }
}

describe('a call by gRPC', () => {
  it('carries a partial request and its answer over plain HTTP/2', async () => {
    await using fixture = await startFixture()
    await using client = fixture.geo(keys.brandAdmin)
    assert.deepEqual(await client.putStores(put), { stored: 1 })
    const store = fixture.seen.put?.stores[0]
    assert.deepEqual(
      { ...store },
      {
        storeId: 's1',
        name: 'Store',
        latitude: 0,
        longitude: 0,
        address: '',
        relevantText: '',
        beacons: [{ proximityUuid: '', major: 7, minor: undefined }],
      },
    )
    assert.deepEqual(fixture.seen.call?.caller, { keyId: 'k4', role: 'brand_admin', brands: ['one'] })
  })

  it('runs over TLS, and a client that trusts another authority gets nowhere', async () => {
    using tls = testTls()
    using stranger = testTls()
    await using fixture = await startFixture({ tls: { ca: tls.caFile, cert: tls.certFile, key: tls.keyFile } })
    await using client = fixture.geo()
    assert.deepEqual(await client.putStores(put), { stored: 1 })
    const files = { ca: stranger.caFile, cert: undefined, key: undefined }
    await using other = createClient(GeoServiceService, {
      address: fixture.address,
      apiKey: keys.root,
      platform: { tls: files },
      defaultDeadlineMs: 1_000,
    })
    await assert.rejects(other.putStores(put), raises('DEADLINE_EXCEEDED'))
  })

  it('refuses to serve plain text when TLS is half configured', async () => {
    using tls = testTls()
    await assert.rejects(
      startFixture({ tls: { ca: tls.caFile, cert: undefined, key: undefined } }),
      /STAMPEDE_TLS_CERT/,
    )
  })

  it('brings an error of the table back as it was thrown', async () => {
    await using fixture = await startFixture({
      geo: { putStores: () => Promise.reject(invalidArgument('stores[0].name', 'ist zu lang – ü')) },
    })
    await using client = fixture.geo()
    await assert.rejects(client.putStores(put), (error: unknown) => {
      assert.ok(error instanceof StampedeError)
      assert.equal(error.code, 'INVALID_ARGUMENT')
      assert.equal(error.field, 'stores[0].name')
      assert.equal(error.message, 'stores[0].name: ist zu lang – ü')
      assert.equal(error.retryable, false)
      return true
    })
  })

  it('hides an unknown error behind a generic text', async () => {
    await using fixture = await startFixture({
      geo: { putStores: () => Promise.reject(new Error('password=hunter2')) },
    })
    await using client = fixture.geo()
    await assert.rejects(client.putStores(put), (error: unknown) => {
      assert.ok(error instanceof StampedeError)
      assert.equal(error.code, 'INTERNAL')
      assert.doesNotMatch(error.message, /hunter2/)
      return true
    })
  })

  it('calls bytes that are no message the mistake of the caller', async () => {
    await using fixture = await startFixture()
    const client = new GrpcClient(fixture.address, credentials.createInsecure())
    const metadata = new Metadata()
    metadata.set('authorization', `Bearer ${keys.root}`)
    const path = GeoServiceService.putStores.path
    const garbage = (): Buffer => Buffer.from([0x0a, 0xff, 0xff])
    const error = await new Promise<ServiceError | null>((resolve) => {
      client.makeUnaryRequest(
        path,
        garbage,
        (bytes) => bytes,
        {},
        metadata,
        (failure) => resolve(failure),
      )
    })
    client.close()
    assert.equal(error?.code, 3)
  })
})

describe('a deadline', () => {
  it('of the caller reaches the handler and aborts it', async () => {
    const aborted = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<number>()
    await using fixture = await startFixture({
      geo: {
        putStores: (_request, { signal, deadline }) => {
          begun.resolve(deadline.getTime() - Date.now())
          signal.addEventListener('abort', () => aborted.resolve())
          return new Promise(() => undefined)
        },
      },
    })
    await using client = fixture.geo()
    const call = client.putStores({ ...put, idempotencyKey: '' }, { deadlineMs: 300 })
    await assert.rejects(call, raises('DEADLINE_EXCEEDED'))
    await aborted.promise
    assert.ok((await begun.promise) <= 300)
  })

  it('is capped however long the caller wants to wait', async () => {
    await using fixture = await startFixture()
    await using client = fixture.geo()
    await client.putStores(put, { deadlineMs: 3_000_000 })
    const left = (fixture.seen.call?.deadline.getTime() ?? 0) - Date.now()
    assert.ok(left > 50_000 && left <= 60_000, `${left} ms`)
  })

  it('is not awaited by a caller that gives up, and the handler hears of it', async () => {
    const begun = Promise.withResolvers<void>()
    const aborted = Promise.withResolvers<void>()
    await using fixture = await startFixture({
      geo: {
        putStores: (_request, { signal }) => {
          signal.addEventListener('abort', () => aborted.resolve())
          begun.resolve()
          return new Promise(() => undefined)
        },
      },
    })
    await using client = fixture.geo()
    const giveUp = new AbortController()
    const call = client.putStores(put, { signal: giveUp.signal })
    await begun.promise
    giveUp.abort()
    await assert.rejects(call, raises('CANCELLED'))
    await aborted.promise
  })
})

describe('a repeat by the client', () => {
  async function triesOf(error: StampedeError, call: (client: GeoClient) => Promise<unknown>): Promise<number> {
    let tries = 0
    const fail = (): Promise<never> => {
      tries += 1
      return Promise.reject(error)
    }
    await using fixture = await startFixture({ geo: { putStores: fail, listStores: fail } })
    await using client = fixture.geo()
    await assert.rejects(call(client), raises(error.code, error.field))
    return tries
  }

  it('happens for a read and for a write with an idempotency key, three tries in all', async () => {
    assert.equal(await triesOf(unavailable('later'), (geo) => geo.listStores({ brand: 'one' })), 3)
    assert.equal(await triesOf(unavailable('later'), (geo) => geo.putStores(put)), 3)
  })

  it('does not happen without a key, nor for an error that is final', async () => {
    assert.equal(await triesOf(unavailable('later'), (geo) => geo.putStores({ ...put, idempotencyKey: '' })), 1)
    assert.equal(await triesOf(invalidArgument('brand', 'no'), (geo) => geo.listStores({ brand: 'one' })), 1)
  })
})

describe('a stream', () => {
  it('gives its items in order and ends', async () => {
    await using fixture = await startFixture()
    await using client = fixture.campaigns(keys.marketer)
    const statuses: string[] = []
    for await (const { status } of client.watchCampaign({ brand: 'two', campaignId: 'c' })) statuses.push(status)
    assert.deepEqual(statuses, ['running', 'paused', 'done'])
  })

  it('throws what its handler throws after some items', async () => {
    await using fixture = await startFixture({
      watch: async function* () {
        yield { status: 'running', progress: undefined, at: undefined }
        throw unavailable('later')
      },
    })
    await using client = fixture.campaigns()
    const statuses: string[] = []
    const read = async (): Promise<void> => {
      for await (const { status } of client.watchCampaign({ brand: 'one' })) statuses.push(status)
    }
    await assert.rejects(read(), raises('UNAVAILABLE'))
    assert.deepEqual(statuses, ['running'])
  })

  it('stops at the server when its reader leaves', async () => {
    const left = Promise.withResolvers<void>()
    await using fixture = await startFixture({
      watch: async function* (_request, { signal }) {
        signal.addEventListener('abort', () => left.resolve())
        for (;;) {
          yield { status: 'running', progress: undefined, at: undefined }
          await new Promise((resolve) => setImmediate(resolve))
        }
      },
    })
    await using client = fixture.campaigns()
    for await (const item of client.watchCampaign({ brand: 'one' })) {
      assert.equal(item.status, 'running')
      break
    }
    await left.promise
  })

  it('does not wait for a server that is not there', async () => {
    await using fixture = await startFixture()
    await fixture[Symbol.asyncDispose]()
    await using client = fixture.campaigns()
    const stream = client.watchCampaign({ brand: 'one' })[Symbol.asyncIterator]()
    await assert.rejects(async () => stream.next(), raises('UNAVAILABLE'))
  })

  it('of somebody else is not there', async () => {
    await using fixture = await startFixture()
    await using client = fixture.campaigns(keys.marketer)
    const read = async (): Promise<void> => {
      for await (const item of client.watchCampaign({ brand: 'three' })) assert.fail(item.status)
    }
    await assert.rejects(read(), raises('NOT_FOUND'))
  })
})

describe('a server that stops', () => {
  it('lets a running call end and refuses new ones, ends streams, and a client finds its successor', async () => {
    const begun = Promise.withResolvers<void>()
    const finish = Promise.withResolvers<void>()
    const fixture = await startFixture({
      geo: {
        putStores: async () => {
          begun.resolve()
          await finish.promise
          return { stored: 42 }
        },
      },
      watch: async function* () {
        yield { status: 'running', progress: undefined, at: undefined }
        await new Promise(() => undefined)
      },
    })
    await using client = fixture.geo()
    await using campaigns = fixture.campaigns()
    const stream = campaigns.watchCampaign({ brand: 'one' })[Symbol.asyncIterator]()
    await stream.next()
    const running = client.putStores(put)
    await begun.promise
    const stopped = fixture[Symbol.asyncDispose]()
    await assert.rejects(stream.next(), raises('UNAVAILABLE'))
    finish.resolve()
    assert.deepEqual(await running, { stored: 42 })
    await stopped
    const waiting = client.putStores(put)
    await using successor = await startFixture({ grpcPort: fixture.server.grpcPort })
    assert.deepEqual(await waiting, { stored: 1 })
    assert.ok(successor.seen.put)
  })

  it('cannot start on a taken port, and says which', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    await assert.rejects(startFixture({ grpcPort: port }), new RegExp(String(port)))
    taken.close()
  })
})

describe('health', () => {
  async function check(address: string, service: string): Promise<number | string> {
    const client = new GrpcClient(address, credentials.createInsecure())
    const { path, requestSerialize, responseDeserialize } = healthService.check
    const answer = await new Promise<number | string>((resolve) => {
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { service }, (error, response) =>
        resolve(error ? `error ${error.code}` : (response?.status ?? -1)),
      )
    })
    client.close()
    return answer
  }

  it('follows readiness, for the server and each service, without a key', async () => {
    let isReady = true
    await using fixture = await startFixture({ ready: () => isReady })
    assert.equal(await check(fixture.address, ''), 1)
    assert.equal(await check(fixture.address, 'stampede.geo.v1.GeoService'), 1)
    assert.equal(await check(fixture.address, 'stampede.none.v1.None'), 'error 5')
    isReady = false
    assert.equal(await check(fixture.address, ''), 2)
  })

  it('tells a watcher when it changes', async () => {
    let isReady = false
    await using fixture = await startFixture({ ready: () => isReady })
    const client = new GrpcClient(fixture.address, credentials.createInsecure())
    const { path, requestSerialize, responseDeserialize } = healthService.watch
    const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, { service: '' })
    const states: number[] = []
    for await (const { status } of call as AsyncIterable<{ status: number }>) {
      states.push(status)
      isReady = true
      if (states.length === 2) break
    }
    client.close()
    assert.deepEqual(states, [2, 1])
  })

  it('tells a watcher that the server stops, and lets it stop at once', async () => {
    const fixture = await startFixture()
    const client = new GrpcClient(fixture.address, credentials.createInsecure())
    const { path, requestSerialize, responseDeserialize } = healthService.watch
    const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, { service: '' })
    const states: number[] = []
    let stopped: Promise<void> | undefined
    for await (const { status } of call as AsyncIterable<{ status: number }>) {
      states.push(status)
      stopped ??= Promise.resolve(fixture[Symbol.asyncDispose]())
    }
    await stopped
    client.close()
    assert.deepEqual(states, [1, 2])
  })
})
