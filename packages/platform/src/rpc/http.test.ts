import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request as rawRequest } from 'node:http'
import { request as secureRequest } from 'node:https'
import { describe, it } from 'node:test'
import { unavailable } from '../errors.ts'
import { testTls } from '../testing/tls.ts'
import { keys, startFixture } from './fixture.ts'

type Fixture = Awaited<ReturnType<typeof startFixture>>

interface Failure {
  readonly code: string
  readonly message: string
  readonly field: string
  readonly retryable: boolean
}

async function failure(answer: Response): Promise<Failure & { readonly status: number }> {
  const { error } = (await answer.json()) as { error: Failure }
  return { status: answer.status, ...error }
}

function putStores(fixture: Fixture, body: string, headers: Record<string, string> = {}): Promise<Response> {
  return fixture.json('/v1/brands/one/stores', { method: 'PUT', body, headers })
}

/** A request with headers that fetch would not send. */
function statusOf(fixture: Fixture, path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = rawRequest(`${fixture.base}${path}`, { headers }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    sent.once('error', reject).end()
  })
}

describe('the JSON mapping', () => {
  it('reads a body by JSON or proto names and the path, and writes all fields', async () => {
    await using fixture = await startFixture()
    const stores = [
      { storeId: 'a', latitude: 51.5, beacons: [{ proximityUuid: 'u', major: 65535 }] },
      { store_id: 'b', relevant_text: 'Hello' },
    ]
    const answer = await putStores(fixture, JSON.stringify({ idempotencyKey: 'k', stores }))
    assert.equal(answer.status, 200)
    assert.deepEqual(await answer.json(), { stored: 2 })
    const put = fixture.seen.put
    assert.equal(put?.brand, 'one')
    assert.equal(put?.stores[0]?.beacons[0]?.major, 65535)
    assert.equal(put?.stores[0]?.beacons[0]?.minor, undefined)
    assert.equal(put?.stores[1]?.relevantText, 'Hello')
    const empty = await fixture.json('/v1/brands/one/stores')
    assert.deepEqual(await empty.json(), { stores: [], nextPageToken: '' })
  })

  it('writes 64-bit integers as text without loss', async () => {
    await using fixture = await startFixture()
    const answer = await fixture.json('/v1/brands/one/members/m/relevance')
    assert.deepEqual(await answer.json(), { stores: [], version: '9007199254740993' })
  })

  it('reads query parameters of every kind and custom verbs', async () => {
    await using fixture = await startFixture()
    const answer = await fixture.json('/v1/brands/one/stores:nearest?latitude=1.5&longitude=-0.5&limit=3')
    const { stores } = (await answer.json()) as { stores: { distanceMeters: number }[] }
    assert.equal(stores[0]?.distanceMeters, 4)
  })

  it('reaches a method through each of its additional bindings, with decoded values', async () => {
    await using fixture = await startFixture()
    const member = async (path: string): Promise<unknown> => {
      const answer = await fixture.json(`/v1/brands/one/${path}`)
      const { member } = (await answer.json()) as { member: Record<string, unknown> }
      return [member['memberId'], member['cardNumber'], member['reference'], member['enrolledAt']]
    }
    const at = '1970-01-01T00:00:00Z'
    assert.deepEqual(await member('members/m1'), ['m1', '', '', at])
    assert.deepEqual(await member('cards/123'), ['', '123', '', at])
    assert.deepEqual(await member('member-references/crm%2F7%3Aa%20b'), ['', '', 'crm/7:a b', at])
  })

  it('names the field that does not fit, with the way to it', async () => {
    await using fixture = await startFixture()
    const wrong: readonly (readonly [body: string, field: string])[] = [
      ['{"stores": [{"storeId": "a"}, {"latitude": "north"}]}', 'stores[1].latitude'],
      ['{"stores": [{"beacons": [{"major": -1}]}]}', 'stores[0].beacons[0].major'],
      ['{"stores": [{"beacons": [{"minor": 1.5}]}]}', 'stores[0].beacons[0].minor'],
      ['{"stores": [{"store_id": "a", "storeId": "a"}]}', 'stores[0].store_id'],
      ['{"stores": [7]}', 'stores[0]'],
      ['{"stores": {}}', 'stores'],
      ['{"shops": []}', 'shops'],
      ['{"stores": [{"colour": "red"}]}', 'stores[0].colour'],
      ['{"__proto__": {"brand": "two"}}', '__proto__'],
      ['{"brand": "two"}', 'brand'],
      ['{"idempotencyKey": 5}', 'idempotency_key'],
      ['{"stores": [{"name": "\\ud800"}]}', 'stores[0].name'],
      ['[]', 'body'],
      ['{', 'body'],
      ['\u0000\u0001', 'body'],
      ['['.repeat(100_000), 'body'],
    ]
    for (const [body, field] of wrong) {
      const { status, ...error } = await failure(await putStores(fixture, body))
      const shown = body.slice(0, 60)
      assert.equal(status, 400, shown)
      assert.equal(error.code, 'INVALID_ARGUMENT', shown)
      assert.equal(error.field, field, shown)
      assert.equal(error.retryable, false)
    }
    assert.equal(fixture.seen.put, undefined)
  })

  it('names a wrong query parameter', async () => {
    await using fixture = await startFixture()
    const wrong: readonly (readonly [query: string, field: string])[] = [
      ['latitude=north', 'latitude'],
      ['limit=1&limit=2', 'limit'],
      ['limit=99999999999', 'limit'],
      ['colour=red', 'colour'],
      ['brand=two', 'brand'],
    ]
    for (const [query, field] of wrong) {
      const error = await failure(await fixture.json(`/v1/brands/one/stores:nearest?${query}`))
      assert.deepEqual([error.status, error.field], [400, field], query)
    }
    const inBody = await failure(await fixture.json('/v1/brands/one/stores?brand=one', { method: 'PUT', body: '{}' }))
    assert.deepEqual([inBody.status, inBody.field], [400, 'brand'])
  })

  it('says so when nothing answers a path or verb, or a value is not properly encoded', async () => {
    await using fixture = await startFixture()
    for (const path of ['/', '/v2/brands/one/stores', '/v1/brands/one/stores/', '/v1/brands/one/stores:farthest'])
      assert.equal((await failure(await fixture.json(path))).status, 404, path)
    assert.equal((await failure(await fixture.json('/v1/brands/one/stores', { method: 'PATCH' }))).status, 404)
    const broken = await failure(await fixture.json('/v1/brands/%E0%A4/stores'))
    assert.deepEqual([broken.status, broken.field], [400, 'brand'])
  })

  it('refuses a body that is too large or no JSON by its type, and stays up', async () => {
    await using fixture = await startFixture()
    const large = await failure(await putStores(fixture, ' '.repeat(8 * 1024 * 1024 + 1)))
    assert.deepEqual([large.status, large.field], [400, 'body'])
    const form = await failure(await putStores(fixture, 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }))
    assert.deepEqual([form.status, form.field], [400, 'body'])
    const latin1 = await fixture.json('/v1/brands/one/stores', {
      method: 'PUT',
      body: Buffer.from('{"a":"\xe4"}', 'latin1'),
    })
    assert.equal((await failure(latin1)).message, 'body: must be UTF-8')
    assert.equal((await putStores(fixture, '{}')).status, 200)
  })

  it('answers errors by the table', async () => {
    await using fixture = await startFixture({ geo: { putStores: () => Promise.reject(unavailable('later')) } })
    const error = await failure(await putStores(fixture, '{}'))
    assert.deepEqual(error, { status: 503, code: 'UNAVAILABLE', message: 'later', field: '', retryable: true })
  })
})

describe('a stream by HTTP', () => {
  it('is one line of JSON per item', async () => {
    await using fixture = await startFixture()
    const answer = await fixture.json('/v1/brands/one/campaigns/c:watch')
    assert.equal(answer.headers.get('content-type'), 'application/x-ndjson')
    const lines = (await answer.text()).trimEnd().split('\n')
    const statuses = lines.map((line) => (JSON.parse(line) as { result: { status: string } }).result.status)
    assert.deepEqual(statuses, ['running', 'paused', 'done'])
  })

  it('ends with a line that holds the error, or is an ordinary error before the first item', async () => {
    await using fixture = await startFixture({
      watch: async function* ({ campaignId }) {
        if (campaignId === 'later') yield { status: 'running', progress: undefined, at: undefined }
        throw unavailable('later')
      },
    })
    const late = await fixture.json('/v1/brands/one/campaigns/later:watch')
    assert.equal(late.status, 200)
    const lines = (await late.text()).trimEnd().split('\n')
    assert.equal(lines.length, 2)
    assert.equal((JSON.parse(lines[1] ?? '') as { error: Failure }).error.code, 'UNAVAILABLE')
    assert.equal((await failure(await fixture.json('/v1/brands/one/campaigns/now:watch'))).status, 503)
  })

  it('is stopped at the handler when the reader hangs up, and by a server that stops', async () => {
    const left = Promise.withResolvers<void>()
    const fixture = await startFixture({
      watch: async function* ({ campaignId }, { signal }) {
        if (campaignId === 'left') signal.addEventListener('abort', () => left.resolve())
        yield { status: 'running', progress: undefined, at: undefined }
        await new Promise(() => undefined)
      },
    })
    const hangUp = new AbortController()
    const reader = await fixture.json('/v1/brands/one/campaigns/left:watch', { signal: hangUp.signal })
    assert.equal(reader.status, 200)
    hangUp.abort()
    await left.promise
    const patient = await fixture.json('/v1/brands/one/campaigns/stays:watch')
    const stopped = fixture[Symbol.asyncDispose]()
    const lines = (await patient.text()).trimEnd().split('\n')
    assert.equal((JSON.parse(lines.at(-1) ?? '') as { error: Failure }).error.code, 'UNAVAILABLE')
    await stopped
  })
})

describe('a server that stops', () => {
  it('lets a call by HTTP end and closes its connection', async () => {
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
    })
    const running = putStores(fixture, '{}')
    await begun.promise
    const startedAt = performance.now()
    const stopped = fixture[Symbol.asyncDispose]()
    finish.resolve()
    assert.deepEqual(await (await running).json(), { stored: 42 })
    await stopped
    assert.ok(performance.now() - startedAt < 4_000, 'an idle connection held the server up')
  })
})

describe('HTTP over TLS', () => {
  it('is spoken when asked for, and needs a certificate', async () => {
    using tls = testTls()
    const files = { ca: tls.caFile, cert: tls.certFile, key: tls.keyFile }
    await using fixture = await startFixture({ tls: files, httpTls: true })
    const sent = secureRequest({ host: 'localhost', port: fixture.server.httpPort, path: '/live', ca: tls.caPem })
    sent.end()
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    assert.equal(answer.statusCode, 200)
    answer.resume()
    await assert.rejects(startFixture({ httpTls: true }), /STAMPEDE_HTTP_TLS/)
  })
})

describe('pages of every service', () => {
  it('tell life, readiness and metrics without a key', async () => {
    let isReady = true
    await using fixture = await startFixture({ ready: () => isReady })
    await fixture.json('/v1/brands/one/stores')
    assert.equal((await fetch(`${fixture.base}/live`)).status, 200)
    assert.equal((await fetch(`${fixture.base}/ready`)).status, 200)
    isReady = false
    assert.equal((await fetch(`${fixture.base}/live`)).status, 200)
    assert.equal((await fetch(`${fixture.base}/ready`)).status, 503)
    const metrics = await (await fetch(`${fixture.base}/metrics`)).text()
    const count = /stampede_geo_rpc_duration_seconds_count\{(?=.*ListStores)(?=.*code="OK").*\} 1/
    assert.match(metrics, count)
    assert.match(metrics, /process_cpu_seconds_total/)
  })

  it('answer local names only when listening locally', async () => {
    await using fixture = await startFixture()
    for (const host of ['127.0.0.1', 'localhost:8080', '[::1]:1'])
      assert.equal(await statusOf(fixture, '/live', { host }), 200, host)
    for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example:80'])
      assert.equal(await statusOf(fixture, '/live', { host }), 403, host)
  })

  it('let configured origins call from a browser, and no others', async () => {
    const origin = 'http://127.0.0.1:9999'
    await using fixture = await startFixture({ allowedOrigins: [origin] })
    const allowedTo = async (from: string, method: string): Promise<string | null> => {
      const headers = { origin: from, 'access-control-request-method': 'PUT', authorization: `Bearer ${keys.root}` }
      const answer = await fetch(`${fixture.base}/v1/brands/one/stores`, { method, headers })
      await answer.text()
      return answer.headers.get('access-control-allow-origin')
    }
    assert.equal(await allowedTo(origin, 'OPTIONS'), origin)
    assert.equal(await allowedTo(origin, 'GET'), origin)
    assert.equal(await allowedTo('http://evil.example', 'OPTIONS'), null)
    assert.equal(await allowedTo('http://evil.example', 'GET'), null)
  })

  it('refuses headers that are too large', async () => {
    await using fixture = await startFixture()
    assert.equal(await statusOf(fixture, '/live', { 'x-padding': 'x'.repeat(20_000) }), 431)
  })
})
