import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { GoogleWork } from '@stampede/proto/push/v1'
import { AccessTokens } from '../api/access-tokens.ts'
import type { GoogleCall, GoogleCaller, GoogleHttpAnswer } from '../api/http.ts'
import { writeResource } from './write.ts'

const tokenUrl = 'https://token.example/token'
const privateKeyPem = generateKeyPairSync('rsa', { modulusLength: 2048 })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString()
const credential = { clientEmail: 'a@b.example', privateKeyPem }
const work = GoogleWork.fromPartial({
  brand: 'demo',
  issuerId: '77',
  kind: 'loyaltyObject',
  resourceId: '77.card',
  version: 1n,
})

/** Answers calls of the API by a script of statuses; each token request gets another token. */
class Script implements GoogleCaller {
  readonly calls: GoogleCall[] = []
  tokens = 0
  tokenStatus = 200
  expiresIn = 3_600
  readonly #statuses: number[]
  readonly #reason: string

  constructor(statuses: readonly number[], reason = '') {
    this.#statuses = [...statuses]
    this.#reason = reason
  }

  async call(call: GoogleCall): Promise<GoogleHttpAnswer> {
    if (call.url !== tokenUrl) {
      this.calls.push(call)
      return { ...answerOf(this.#statuses.shift() ?? 0), reason: this.#reason }
    }
    this.tokens += 1
    return answerOf(this.tokenStatus, { access_token: `token-${this.tokens}`, expires_in: this.expiresIn })
  }
}

function answerOf(status: number, json: unknown = undefined): GoogleHttpAnswer {
  return { status, reason: '', message: '', retryAfterMs: 0, json }
}

async function write(http: Script, first: 'insert' | 'patch' = 'insert', options: Partial<WriteOptions> = {}) {
  const { resource = { id: '77.card' }, mayNotify = true } = options
  const parts = {
    http,
    tokens: new AccessTokens(http, tokenUrl),
    turns: { turn: async () => true, answered: async () => {} },
    baseUrl: 'https://wallet.example',
    called: () => {},
    mayNotify: async () => mayNotify,
  }
  const hold = { keep: async () => options.isHeld !== false }
  const caller = { issuer: '77', credential, lane: 'urgent', hold, signal: AbortSignal.timeout(5_000) } as const
  const end = await writeResource({ ...work, resourceJson: JSON.stringify(resource) }, first, caller, parts)
  if (end.kind === 'later') return `later ${end.obstacle}`
  return end.kind === 'accepted' && end.quiet ? 'accepted quietly' : end.kind
}

interface WriteOptions {
  readonly resource: object
  readonly mayNotify: boolean
  readonly isHeld: boolean
}

describe('writing a resource', () => {
  test('an existing one is patched after the insertion was refused', async () => {
    const http = new Script([409, 200])
    assert.equal(await write(http), 'accepted')
    assert.deepEqual(
      http.calls.map(({ method, url }) => [method, url]),
      [
        ['POST', 'https://wallet.example/walletobjects/v1/loyaltyObject'],
        ['PATCH', 'https://wallet.example/walletobjects/v1/loyaltyObject/77.card'],
      ],
    )
    assert.equal(http.calls[0]?.body, '{"id":"77.card"}')
    assert.equal(JSON.parse(http.calls[1]?.body ?? '').accountId, null)
  })

  test('a change whose holders were told too often already is made without telling them', async () => {
    const resource = { id: '77.card', notifyPreference: 'NOTIFY_ON_UPDATE' }
    const told = new Script([200])
    assert.equal(await write(told, 'patch', { resource }), 'accepted')
    assert.match(told.calls[0]?.body ?? '', /NOTIFY_ON_UPDATE/)
    const counted = new Script([200])
    assert.equal(await write(counted, 'patch', { resource, mayNotify: false }), 'accepted quietly')
    assert.doesNotMatch(counted.calls[0]?.body ?? '', /notifyPreference/)
    const refused = new Script([403, 200], 'quotaExceeded')
    assert.equal(await write(refused, 'patch', { resource }), 'accepted quietly')
    assert.doesNotMatch(refused.calls[1]?.body ?? '', /notifyPreference/)
    assert.equal(await write(new Script([403], 'quotaExceeded'), 'patch'), 'later resource')
  })

  test('without its claim no call is made', async () => {
    const http = new Script([200])
    assert.equal(await write(http, 'insert', { isHeld: false }), 'later resource')
    assert.equal(http.calls.length, 0)
  })

  test('one that was thought to exist is inserted', async () => {
    const http = new Script([404, 200])
    assert.equal(await write(http, 'patch'), 'accepted')
    assert.deepEqual(
      http.calls.map(({ method }) => method),
      ['PATCH', 'POST'],
    )
  })

  test('a refused token is replaced once', async () => {
    const http = new Script([401, 200])
    assert.equal(await write(http), 'accepted')
    assert.deepEqual(
      http.calls.map(({ headers }) => headers['authorization']),
      ['Bearer token-1', 'Bearer token-2'],
    )
    const hopeless = new Script([401, 401, 200])
    assert.equal(await write(hopeless), 'later resource')
    assert.equal(hopeless.calls.length, 2)
  })

  test('two answers that contradict each other end after four calls', async () => {
    const endless = new Script([409, 404, 409, 404, 409, 404])
    assert.equal(await write(endless), 'later resource')
    assert.equal(endless.calls.length, 4)
  })

  test('an account that gets no token makes its resources wait, and no call is made', async () => {
    const http = new Script([200])
    http.tokenStatus = 400
    assert.equal(await write(http), 'later resource')
    http.tokenStatus = 503
    assert.equal(await write(http), 'later google')
    assert.equal(http.calls.length, 0)
  })
})

describe('access tokens', () => {
  test('many that ask at once share one request, and later ones its token', async () => {
    const http = new Script([])
    const tokens = new AccessTokens(http, tokenUrl)
    const got = await Promise.all(Array.from({ length: 10 }, () => tokens.get(credential)))
    got.push(await tokens.get(credential))
    assert.ok(got.every((one) => one.ok && one.token === 'token-1'))
    assert.equal(http.tokens, 1)
  })

  test('a token with less than five minutes left is renewed', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_700_000_000_000 })
    const http = new Script([])
    const tokens = new AccessTokens(http, tokenUrl)
    await tokens.get(credential)
    t.mock.timers.tick(3_299_000)
    await tokens.get(credential)
    assert.equal(http.tokens, 1)
    t.mock.timers.tick(2_000)
    await tokens.get(credential)
    assert.equal(http.tokens, 2)
  })

  test('a refusal is remembered for a moment, but not for a new key', async () => {
    const http = new Script([])
    http.tokenStatus = 400
    const tokens = new AccessTokens(http, tokenUrl)
    await tokens.get(credential)
    await tokens.get(credential)
    assert.equal(http.tokens, 1)
    http.tokenStatus = 200
    const rotated = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    const newKey = { ...credential, privateKeyPem: rotated.export({ type: 'pkcs8', format: 'pem' }).toString() }
    assert.equal((await tokens.get(newKey)).ok, true)
  })

  test('a key that cannot sign RSA is a refusal, not a crash', async () => {
    const { privateKey } = generateKeyPairSync('ed25519')
    const ed = { ...credential, privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
    const token = await new AccessTokens(new Script([]), tokenUrl).get(ed)
    assert.ok(!token.ok && token.answer.reason === 'BadKey')
  })
})
