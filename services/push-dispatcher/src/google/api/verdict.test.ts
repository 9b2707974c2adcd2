import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { verdictOf, type WriteCall } from './verdict.ts'

type Row = readonly [kind: string, call: WriteCall, status: number, reason: string, expected: string, message?: string]

const object = 'loyaltyObject'
const table: readonly Row[] = [
  [object, 'insert', 200, '', 'accepted'],
  [object, 'patch', 200, '', 'accepted'],
  [object, 'insert', 409, 'alreadyExists', 'call patch'],
  [object, 'patch', 404, 'resourceNotFound', 'call insert'],
  [object, 'patch', 409, 'conflict', 'later resource'],
  [object, 'insert', 404, 'resourceNotFound', 'later class'],
  [object, 'insert', 404, 'classNotFound', 'later class'],
  [object, 'patch', 404, 'classNotFound', 'later class'],
  [object, 'insert', 400, 'badRequest', 'later class', 'The class 1.demo does not exist'],
  [object, 'insert', 400, 'badRequest', 'rejected', 'classId: is of another issuer'],
  ['loyaltyClass', 'patch', 404, 'classNotFound', 'call insert'],
  ['loyaltyClass', 'insert', 404, 'notFound', 'rejected'],
  ['loyaltyClass', 'insert', 400, 'badRequest', 'rejected', 'class not found'],
  [object, 'insert', 401, 'authError', 'later resource'],
  [object, 'insert', 403, 'permissionDenied', 'rejected'],
  [object, 'insert', 403, '', 'rejected'],
  [object, 'patch', 403, 'quotaExceeded', 'quota'],
  [object, 'patch', 403, 'rateLimitExceeded', 'later issuer'],
  [object, 'patch', 403, 'RESOURCE_EXHAUSTED', 'later issuer'],
  [object, 'insert', 429, '', 'later issuer'],
  [object, 'insert', 500, '', 'later google'],
  [object, 'insert', 503, 'backendError', 'later google'],
  [object, 'insert', 408, '', 'later google'],
  [object, 'insert', 0, 'NoAnswer', 'later google'],
  [object, 'insert', 405, '', 'rejected'],
  [object, 'insert', 413, '', 'rejected'],
]

describe('the table of Google answers', () => {
  for (const [kind, call, status, reason, expected, message = ''] of table) {
    test(`${call} of a ${kind}: ${status} ${reason} ${message} means ${expected}`, () => {
      const verdict = verdictOf(kind, call, { status, reason, message, retryAfterMs: 0 })
      const more = verdict.kind === 'later' ? ` ${verdict.obstacle}` : verdict.kind === 'call' ? ` ${verdict.call}` : ''
      assert.equal(`${verdict.kind}${more}`, expected)
    })
  }
})
