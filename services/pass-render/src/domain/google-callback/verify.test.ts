import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CallbackSigner } from '@stampede/sandbox'
import { parseCallback, parseRootKeys, type Verdict, verifyCallback } from './verify.ts'

const nowMs = Date.parse('2026-11-25T10:00:00Z')
const issuer = '3388000000012345678'
const google = new CallbackSigner(nowMs)

function verdict(body: unknown, roots: unknown = google.rootKeys(), recipient = issuer): Verdict['ok'] {
  const callback = parseCallback(JSON.parse(JSON.stringify(body)))
  return callback !== undefined && verifyCallback(callback, parseRootKeys(roots, nowMs), recipient, nowMs).ok
}

describe('a signed callback of Google', () => {
  const body = google.callback(issuer, { classId: `${issuer}.c`, objectId: `${issuer}.o`, eventType: 'save' })

  it('is taken when the chain of keys holds', () => {
    const callback = parseCallback(body)
    assert.ok(callback)
    const result = verifyCallback(callback, parseRootKeys(google.rootKeys(), nowMs), issuer, nowMs)
    assert.ok(result.ok)
    assert.deepEqual([result.message.objectId, result.message.event], [`${issuer}.o`, 'save'])
  })

  const other = new CallbackSigner(nowMs)
  const wrong: Readonly<Record<string, () => boolean>> = {
    'another message': () => verdict({ ...body, signedMessage: body.signedMessage.replace('"save"', '"del"') }),
    'another issuer': () => verdict(body, google.rootKeys(), '1'),
    'another protocol': () => verdict({ ...body, protocolVersion: 'ECv1' }),
    'another root': () => verdict(body, other.rootKeys()),
    'an expired root': () => verdict(body, google.rootKeys({ keyExpiration: String(nowMs - 1) })),
    'a root without an end': () => verdict(body, google.rootKeys({ keyExpiration: undefined })),
    'another key between': () =>
      verdict({ ...body, intermediateSigningKey: other.callback(issuer, {}).intermediateSigningKey }),
    'a changed key between': () => {
      const { signedKey, signatures } = body.intermediateSigningKey
      return verdict({ ...body, intermediateSigningKey: { signedKey: `${signedKey} `, signatures } })
    },
    'no signature of the key between': () =>
      verdict({ ...body, intermediateSigningKey: { ...body.intermediateSigningKey, signatures: [] } }),
    'an expired key between': () => verdict(new CallbackSigner(nowMs, { keyEndsMs: nowMs }).callback(issuer, {})),
    'an expired message': () => verdict(google.callback(issuer, { expTimeMillis: nowMs })),
    'a message that is none': () => verdict(google.callback(issuer, { objectId: 5 })),
    'no JSON': () => verdict('x'),
  }
  for (const [what, is] of Object.entries(wrong)) it(`is refused with ${what}`, () => assert.equal(is(), false))

  it('needs one good signature of several', () => {
    const { signedKey, signatures } = body.intermediateSigningKey
    assert.ok(verdict({ ...body, intermediateSigningKey: { signedKey, signatures: ['AAAA', ...signatures] } }))
  })
})
