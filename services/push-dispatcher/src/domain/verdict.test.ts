import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isCredentialReason, isKnownAnswer, isTlsRefusal, verdictOf } from './verdict.ts'

function decide(status: number, reason: string, more: { timestampMs?: number; retryAfterMs?: number } = {}) {
  return verdictOf({ status, reason, timestampMs: 0, retryAfterMs: 0, ...more })
}

describe('the table of answers', () => {
  const table: readonly (readonly [number, string, string])[] = [
    [200, '', 'accepted'],
    [400, 'BadDeviceToken', 'dead'],
    [400, 'DeviceTokenNotForTopic', 'reject'],
    [400, 'IdleTimeout', 'retry'],
    [400, 'BadTopic', 'stop'],
    [400, 'PayloadEmpty', 'stop'],
    [400, 'NeverHeardOf', 'reject'],
    [403, 'BadCertificate', 'stop'],
    [403, 'BadCertificateEnvironment', 'stop'],
    [403, 'Forbidden', 'stop'],
    [403, 'NeverHeardOf', 'reject'],
    [404, 'BadPath', 'reject'],
    [405, 'MethodNotAllowed', 'reject'],
    [410, 'Unregistered', 'dead'],
    [410, 'ExpiredToken', 'dead'],
    [410, '', 'dead'],
    [413, 'PayloadTooLarge', 'reject'],
    [429, 'TooManyRequests', 'retry'],
    [429, '', 'retry'],
    [500, 'InternalServerError', 'retry'],
    [503, 'ServiceUnavailable', 'retry'],
    [503, 'Shutdown', 'retry'],
    [502, '', 'retry'],
  ]
  for (const [status, reason, kind] of table) {
    test(`${status} ${reason || 'without a reason'} means ${kind}`, () => {
      assert.equal(decide(status, reason).kind, kind)
    })
  }

  test('a dead token carries the timestamp that 410 tells', () => {
    assert.deepEqual(decide(410, 'Unregistered', { timestampMs: 17 }), { kind: 'dead', deadSinceMs: 17 })
    assert.deepEqual(decide(400, 'BadDeviceToken'), { kind: 'dead', deadSinceMs: 0 })
  })

  test('trouble of the service slows the pool, trouble of a token only that token', () => {
    assert.deepEqual(decide(503, 'Shutdown', { retryAfterMs: 5_000 }), { kind: 'retry', scope: 'pool', delayMs: 5_000 })
    assert.deepEqual(decide(429, 'TooManyRequests'), { kind: 'retry', scope: 'token', delayMs: 1_000 })
  })

  test('answers outside the table are told apart', () => {
    assert.equal(isKnownAnswer(400, 'BadTopic'), true)
    assert.equal(isKnownAnswer(400, 'NeverHeardOf'), false)
    assert.equal(isKnownAnswer(502, ''), false)
  })

  test('a GOAWAY and a TLS alert can blame the certificate', () => {
    assert.equal(isCredentialReason('BadCertificate'), true)
    assert.equal(isCredentialReason('Shutdown'), false)
    assert.equal(isTlsRefusal('ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED'), true)
    assert.equal(isTlsRefusal('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION'), false)
    assert.equal(isTlsRefusal('ECONNRESET'), false)
  })
})
