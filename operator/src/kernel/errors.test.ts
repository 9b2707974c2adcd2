import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromAnswer, fromStatusObject, fromTransport, KubeError, type KubeErrorCode } from './errors.ts'

const answers: readonly (readonly [
  what: string,
  status: number,
  reason: string,
  retryAfter: string | undefined,
  code: KubeErrorCode,
  retryable: boolean,
])[] = [
  ['a missing object', 404, 'NotFound', undefined, 'notFound', false],
  ['a create of what exists', 409, 'AlreadyExists', undefined, 'alreadyExists', false],
  ['a write of an old version', 409, 'Conflict', undefined, 'conflict', true],
  ['a version that is too old', 410, 'Expired', undefined, 'gone', true],
  ['a server that is too busy', 429, 'TooManyRequests', '7', 'tooManyRequests', true],
  ['a server that starts', 503, 'ServiceUnavailable', '1', 'tooManyRequests', true],
  ['a server that is gone', 503, 'ServiceUnavailable', undefined, 'serverError', true],
  ['an expired token', 401, 'Unauthorized', undefined, 'unauthorized', true],
  ['a refusal by RBAC', 403, 'Forbidden', undefined, 'forbidden', false],
  ['an object that breaks its schema', 422, 'Invalid', undefined, 'invalid', false],
  ['an object with an unknown field', 400, 'BadRequest', undefined, 'invalid', false],
  ['a fault of the server', 500, 'InternalError', undefined, 'serverError', true],
]

for (const [what, status, reason, retryAfter, code, retryable] of answers) {
  test(`${what} (${status} ${reason}) is ${code}`, () => {
    const body = JSON.stringify({ kind: 'Status', message: 'because', reason, code: status })
    const error = fromAnswer(status, body, retryAfter)
    assert.deepEqual(
      [error.code, error.status, error.message, error.retryable, error.retryAfterMs],
      [code, status, 'because', retryable, retryAfter === undefined ? undefined : Number(retryAfter) * 1000],
    )
  })
}

test('an answer that is no Status says how it begins', () => {
  assert.match(fromAnswer(502, '<html>Bad Gateway</html>').message, /^<html>Bad Gateway/)
  assert.equal(fromAnswer(502, 'x'.repeat(1000)).message.length, 200)
  assert.equal(fromAnswer(502, '').message, 'the answer was empty')
})

test('a Retry-After is believed up to a minute, and not at all when it is no number', () => {
  assert.equal(fromAnswer(429, '', '86400').retryAfterMs, 60_000)
  assert.equal(fromAnswer(429, '', 'Fri, 27 Nov 2026 08:00:00 GMT').retryAfterMs, undefined)
})

test('the ERROR event of a watch is read like an answer; without a code it is a fault of the server', () => {
  assert.equal(fromStatusObject({ kind: 'Status', code: 410, reason: 'Expired', message: 'too old' }).code, 'gone')
  assert.equal(fromStatusObject({}).code, 'serverError')
  assert.equal(fromStatusObject(null).code, 'serverError')
})

test('what a socket throws is unreachable with its cause; what is known already stays', () => {
  const cause = new Error('connect ECONNREFUSED')
  const error = fromTransport(cause)
  assert.deepEqual([error.code, error.cause], ['unreachable', cause])
  const known = new KubeError('gone', 'x')
  assert.equal(fromTransport(known), known)
})
